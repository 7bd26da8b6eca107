// Finds verdicts by words and by how they are known; without it the page is whole, and unfiltered.
const find = document.getElementById("find"), how = document.getElementById("how");
const count = document.getElementById("found"), opened = new Map();
const groups = [...document.querySelectorAll("details.group")];

function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const asked = words.length > 0 || how.value !== "";
  let shown = 0;
  for (const group of groups) {
    let here = 0;
    for (const row of group.querySelectorAll("tr[data-check]")) {
      const text = row.textContent.toLowerCase();
      const fits = words.every(word => text.includes(word)) && (how.value === "" || row.dataset.how === how.value);
      row.hidden = !fits;
      here += fits;
    }
    shown += here;
    if (asked && !opened.has(group)) opened.set(group, group.open);
    if (asked) group.open = here > 0;
    else if (opened.has(group)) { group.open = opened.get(group); opened.delete(group); }
    group.parentElement.hidden = asked && here === 0;
  }
  count.textContent = asked ? `${shown} found` : "";
}

document.getElementById("finder").hidden = false;
find.addEventListener("input", filter);
how.addEventListener("change", filter);
