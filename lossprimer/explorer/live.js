// A slider over options is one over their numbers to ipywidgets, and these a screen reader hears. In a running notebook
// this tells it the option that the eye sees beside the slider, and the words before it as the slider's name.
//
// Notebook 7 takes the arrow keys for itself, to go to another cell, unless what has the focus says that it needs them.
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
    for (const control of document.querySelectorAll(".jupyter-widgets :is([role=slider], [type=radio], select)"))
      control.setAttribute("data-lm-suppress-shortcuts", "");
  }
  // One watcher is enough for all explorers of a notebook, those that are shown later included.
  if (!window.explorerSliders) {
    window.explorerSliders = new MutationObserver(tell);
    const watched = { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-valuetext"] };
    window.explorerSliders.observe(document.body, watched);
  }
  tell();
})();
