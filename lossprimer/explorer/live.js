// A slider over options is one over their numbers to ipywidgets, and these a screen reader hears. In a running notebook
// this tells it the option that the eye sees beside the slider, and the words before it as the slider's name.
"use strict";
(() => {
  function tell() {
    for (const slider of document.querySelectorAll(".explorer-slider")) {
      const handle = slider.querySelector("[role=slider]");
      const told = {
        "aria-label": slider.querySelector(".widget-label")?.textContent,
        "aria-valuetext": slider.querySelector(".widget-readout")?.textContent,
      };
      for (const [name, text] of Object.entries(told))
        if (handle && text && handle.getAttribute(name) !== text) handle.setAttribute(name, text);
    }
  }
  // One watcher is enough for all explorers of a notebook, those that are shown later included.
  if (!window.explorerSliders) {
    window.explorerSliders = new MutationObserver(tell);
    const watched = { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-valuetext"] };
    window.explorerSliders.observe(document.body, watched);
  }
  tell();
})();
