// Keys for officers: j/k and Enter in the queue, a/r on a case. Everything works without them.
"use strict";

(() => {
  const typing = (target) =>
    target.closest("input:not([type=radio]), textarea, select, [contenteditable]") !== null;

  const rows = [...document.querySelectorAll("[data-queue] tbody tr")];
  let current = -1;

  const select = (index) => {
    if (rows.length === 0) return;
    current = Math.max(0, Math.min(rows.length - 1, index));
    rows.forEach((row, at) => row.classList.toggle("current", at === current));
    rows[current].querySelector("a").focus();
    rows[current].scrollIntoView({ block: "nearest" });
  };

  rows.forEach((row) => {
    row.addEventListener("click", (event) => {
      if (event.target.closest("a") === null) row.querySelector("a").click();
    });
  });

  const unfold = (key) => {
    const details = document.querySelector(`details[data-key="${key}"]`);
    if (details === null) return false;
    details.open = true;
    const field = details.querySelector("input[type=radio], button[type=submit]");
    field.focus();
    details.scrollIntoView({ block: "nearest" });
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const key = event.key.toLowerCase();
    let done = false;
    if (key === "j" && rows.length > 0) { select(current + 1); done = true; }
    if (key === "k" && rows.length > 0) { select(current - 1); done = true; }
    if (key === "a" || key === "r") done = unfold(key);
    if (done) event.preventDefault();
  });
})();
