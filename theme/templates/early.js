(root => {
  root.mode = "auto";
  root.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  try {
    const chosen = localStorage.getItem("mode");
    if (chosen === "light" || chosen === "dark") root.mode = root.theme = chosen;
    if (localStorage.getItem("code") === "shown") root.code = "shown";
  } catch { /* storage is shut off: nothing was chosen */ }
})(document.documentElement.dataset);
