(() => {
  const DATA = __DATA__, NS = "http://www.w3.org/2000/svg";
  const W = 640, H = 250, L = 46, R = 12, T = 10, B = 34;
  const COLOURS = ["#0072b2", "#d55e00", "#009e73"], DASHES = ["", "8 4", "2 4"];
  const root = document.getElementById("explorer");
  const make = (tag, attributes = {}, parent = null, text = "") => {
    const svg = ["svg", "path", "line", "circle", "text", "g", "title"].includes(tag);
    const made = svg ? document.createElementNS(NS, tag) : document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  };
  const controls = make("div", { class: "controls" }, root);
  const choice = make("label", {}, controls, "Loss ");
  const chooser = make("select", {}, choice);
  for (const name of Object.keys(DATA.losses)) make("option", { value: name }, chooser, name);
  chooser.value = "non-saturating";
  const distance = make("label", {}, controls, "Distance d of Q = N(d, 1) from P = N(0, 1) ");
  const slider = make("input", { type: "range", min: 0, max: 80, value: 20 }, distance);
  const laws = make("div", {}, root), plot = make("div", {}, root);
  const told = make("table", { "aria-live": "polite" }, root);

  const path = (xs, ys, x, y) => xs.map((v, k) => ys[k] === null ? "" :
    `${k && ys[k - 1] !== null ? "L" : "M"}${x(v).toFixed(1)} ${y(ys[k]).toFixed(1)}`).join("");
  const frame = (parent, height, label) => {
    parent.replaceChildren();
    return make("svg", { viewBox: `0 0 ${W} ${height}`, role: "img", "aria-label": label }, parent);
  };
  const ticks = (svg, x, y, xs, ys, bottom) => {
    for (const v of xs) {
      make("line", { x1: x(v), x2: x(v), y1: T, y2: bottom, class: "grid" }, svg);
      make("text", { x: x(v), y: bottom + 14, "text-anchor": "middle" }, svg, String(v));
    }
    for (const v of ys) {
      make("line", { x1: L, x2: W - R, y1: y(v), y2: y(v), class: "grid" }, svg);
      make("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end" }, svg, String(+v.toPrecision(3)));
    }
  };
  const drawLaws = d => {
    const height = 110, bottom = height - 22;
    const svg = frame(laws, height, `P, N(0, 1), and Q, N(${d}, 1)`);
    const x = v => L + (v + 4) / 16 * (W - L - R), y = v => bottom - v / 0.42 * (bottom - T);
    ticks(svg, x, y, [-4, 0, 4, 8, 12], [], bottom);
    const xs = Array.from({ length: 161 }, (_, k) => k / 10 - 4);
    [0, d].forEach((mean, k) => {
      const ys = xs.map(v => Math.exp(-((v - mean) ** 2) / 2) / Math.sqrt(2 * Math.PI));
      const line = path(xs, ys, x, y);
      make("path", { d: `${line}L${x(12)} ${y(0)}L${x(-4)} ${y(0)}Z`, fill: COLOURS[k],
        "fill-opacity": 0.15 }, svg);
      make("path", { d: line, fill: "none", stroke: COLOURS[k], "stroke-width": 2,
        "stroke-dasharray": DASHES[k] }, svg);
      make("text", { x: x(mean), y: y(0.14), "text-anchor": k && d < 0.8 ? "start" : "middle",
        dx: k && d < 0.8 ? 12 : 0 }, svg, "PQ"[k]);
    });
  };
  const drawCurves = (name, k) => {
    const rows = DATA.losses[name], bottom = H - B;
    const svg = frame(plot, H, `${name}: slopes in d of three divergences; the numbers are below`);
    const seen = rows.flatMap(row => row.slope).filter(v => v !== null);
    const low = Math.min(0, ...seen), high = Math.max(...seen, 0.1);
    const x = v => L + v / 8 * (W - L - R);
    const y = v => bottom - (v - low) / (high - low) * (bottom - T);
    const levels = [...new Set([low, 0, high / 2, high])];
    ticks(svg, x, y, [0, 2, 4, 6, 8], levels, bottom);
    make("text", { x: (L + W - R) / 2, y: H - 4, "text-anchor": "middle" }, svg,
      "d; vertical: slope in d, nats per unit");
    rows.forEach((row, n) => make("path", { d: path(DATA.d, row.slope, x, y), fill: "none",
      stroke: COLOURS[n], "stroke-width": 2.2, "stroke-dasharray": DASHES[n] }, svg));
    rows.forEach((row, n) => row.slope[k] === null || make("circle", { cx: x(DATA.d[k]),
      cy: y(row.slope[k]), r: 5, fill: COLOURS[n] }, svg));
  };
  const show = v => v === null ? "undetermined" : String(+v.toPrecision(4));
  const draw = () => {
    const k = +slider.value, d = DATA.d[k], name = chooser.value;
    slider.setAttribute("aria-valuetext", `d = ${d.toFixed(1)}`);
    drawLaws(d);
    drawCurves(name, k);
    told.replaceChildren();
    const head = make("tr", {}, make("thead", {}, told));
    for (const title of [`at d = ${d.toFixed(1)}`, "divergence", "value", "slope in d"])
      make("th", { scope: "col" }, head, title);
    const body = make("tbody", {}, told);
    DATA.losses[name].forEach((row, n) => {
      const line = make("tr", {}, body), cell = make("th", { scope: "row" }, line);
      const key = make("svg", { viewBox: "0 0 30 8", class: "key", "aria-hidden": "true" }, cell);
      make("line", { x1: 0, x2: 30, y1: 4, y2: 4, stroke: COLOURS[n], "stroke-width": 3,
        "stroke-dasharray": DASHES[n] }, key);
      cell.append(row.label);
      make("td", {}, line, row.name);
      make("td", {}, line, show(row.value[k]));
      make("td", {}, line, show(row.slope[k]));
    });
  };
  chooser.addEventListener("change", draw);
  slider.addEventListener("input", draw);
  draw();
})();
