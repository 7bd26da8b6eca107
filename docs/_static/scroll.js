// What scrolls sideways on a narrow screen can be reached by the keyboard; nothing else becomes a stop.
function reach() {
  for (const box of document.querySelectorAll("pre, .table-wrapper, .math, .math .part, figure")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("DOMContentLoaded", reach);
addEventListener("load", reach);
addEventListener("resize", reach);
