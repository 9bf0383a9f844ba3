"use strict";
// Draws each head's measured GST over the spec's, failing points marked; copies snippets.

const finite = (values) => values.map((v) => (typeof v === "number" && Number.isFinite(v) ? v : null));

// What is no number, or infinite, is drawn at the upper end.
function numberOf(value) {
  return typeof value === "number" ? value : value === "-inf" ? -Infinity : Infinity;
}

function shareOf(curve) {
  const held = Object.entries(curve.inputs).map(([name, v]) => `${name} ${Number(v).toPrecision(4)}`);
  return held.join(", ");
}

// Most of a curve, not what diverges next to a pole, decides the range.
function range(curve) {
  const sizes = finite(curve.expected).filter((v) => v !== null).sort((one, other) => one - other);
  if (!sizes.length) return [-1, 1];
  const [low, high] = [sizes[Math.floor(sizes.length * 0.01)], sizes[Math.ceil(sizes.length * 0.99) - 1]];
  const room = 0.15 * (high - low || 1);
  return [low - room, high + room];
}

function draw(holder, curve) {
  const points = new Map(curve.failing.map(([cosine, got]) => [cosine, got]));
  const cosines = [...new Set([...curve.target_cosine, ...points.keys()])].sort((one, other) => one - other);
  const place = new Map(curve.target_cosine.map((cosine, i) => [cosine, i]));
  const column = (values) => cosines.map((c) => (place.has(c) ? finite([values[place.get(c)]])[0] : undefined));
  const [low, high] = range(curve);
  const inside = (v) => Math.max(low, Math.min(high, v));
  const failing = cosines.map((c) => (points.has(c) ? inside(numberOf(points.get(c))) : null));
  return new uPlot({
    width: Math.min(holder.clientWidth, 720),
    height: 260,
    title: shareOf(curve),
    scales: { x: { time: false, range: [-1, 1] }, y: { range: [low, high] } },
    axes: [{ label: "cos θ" }, { label: "g", size: 60 }],
    series: [
      { label: "cos θ" },
      { label: "spec", stroke: "#bbb", width: 6 },
      { label: "head", stroke: "#0072b2", width: 1.5 },
      { label: "failing", stroke: "#d55e00", paths: () => null, points: { show: true, size: 9, fill: "#d55e00" } },
    ],
  }, [cosines, column(curve.expected), column(curve.got), failing], holder);
}

const curves = JSON.parse(document.getElementById("curves").textContent);
for (const holder of document.querySelectorAll("[data-curve]")) draw(holder, curves[Number(holder.dataset.curve)]);

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Selected: press Ctrl+C";
    }
  });
}
