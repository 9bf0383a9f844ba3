// The page. It follows the exported functions in one module: TABLE is theirs, and every
// value shown is one of theirs, at the cosine that is shown beside it.

const VOCABULARY = JSON.parse(document.getElementById("vocabulary").textContent);
const rowOf = (setting) => VOCABULARY.losses[setting.loss];
const POINTS = 2001;
const COLOURS = { a: "#0072b2", b: "#d55e00" };
const CURVES = [
  { id: "size", title: "|g|, the size of the gradient scaling term" },
  { id: "gst", title: "g = (P − 1) D s, signed" },
  { id: "probability", title: "P, the target's probability" },
  { id: "slope", title: "D, the slope of the logit / s" },
  { id: "weight", title: "|g| sin θ, the gradient of a unit class weight" },
];
const SHARE = "Copy the address of this view";
const ROWS = [["gst", "g"], ["size", "|g|"], ["probability", "P"], ["slope", "D"], ["weight", "|g| sin θ"]];

const state = { a: usual("arcface"), b: null, range: [-1, 1], reading: 0.5, tied: false, explanation: "" };
const charts = {};
let found = { a: [], b: [] };
let waiting = false;

const byId = (id) => document.getElementById(id);
const settings = () => (state.b ? ["a", "b"] : ["a"]);

// --- settings ------------------------------------------------------------------------

function usual(loss) {
  const setting = { loss, profile: "pure", detached: false, rival: "cosine" };
  for (const name of Object.keys(VOCABULARY.ranges)) setting[name] = VOCABULARY.usual[name];
  return { ...setting, ...VOCABULARY.losses[loss].recommended };
}

function inputsOf(setting) {
  const names = TABLE[setting.loss].parameters.flatMap((name) =>
    name === "margin_scaler" ? ["concentration", "standard_norm"] : [name]);
  return [...names, ...(setting.rival === "classes" ? ["classes", "other_cosine"] : ["rival_cosine"])];
}

function scalerOf(setting) {
  return Math.max(-1, Math.min(1, setting.concentration * setting.standard_norm));
}

// The cosine of the rival, or of each of many.
const rivalOf = (setting) => setting[setting.rival === "cosine" ? "rival_cosine" : "other_cosine"];

// What rivals at a cosine are worth together, n, as a function of the target cosine:
// CurricularFace weighs a hard one.
function worthOf(setting, rival = rivalOf(setting)) {
  const together = setting.rival === "cosine" ? 0 : Math.log(setting.classes - 1) / setting.scale;
  if (!rowOf(setting).modifiesOthers) return () => rival + together;
  const weighed = along(setting, functionsOf(setting).other_logit, { other_cosine: rival });
  return (cosine) => weighed(cosine) / setting.scale + together;
}

const bareWorthOf = (setting, rival) => worthOf({ ...setting, loss: "normface" }, rival)();

function rulesOf(loss) {
  return Object.keys(TABLE[loss].profiles).filter((profile) => !profile.includes(":"));
}

function functionsOf(setting) {
  const profiles = TABLE[setting.loss].profiles;
  return profiles[setting.profile + (setting.detached ? ":detached" : "")];
}

// A quantity as a function of the target cosine alone.
function along(setting, { inputs, evaluate }, changes = {}) {
  const point = { ...setting, margin_scaler: scalerOf(setting), ...changes };
  const given = [...inputs, ...TABLE[setting.loss].parameters].map((name) => point[name]);
  const place = inputs.indexOf("target_cosine");
  const against = inputs.indexOf("rival_cosine");
  const worth = against < 0 ? null : worthOf(setting, changes.rival_cosine);
  return (cosine) => {
    given[place] = cosine;
    if (worth) given[against] = worth(cosine);
    return evaluate(...given);
  };
}

// Every shown value at some cosines, a column a quantity.
function columnsOf(setting, cosines, names = ["gst", "probability", "slope"]) {
  const columns = {};
  for (const name of names) {
    columns[name] = Float64Array.from(cosines, along(setting, functionsOf(setting)[name]));
  }
  columns.size = columns.gst.map(Math.abs);
  columns.weight = columns.size.map((size, i) => {
    const sine = Math.sqrt((1 - cosines[i]) * (1 + cosines[i]));
    return size * sine; // NaN where the size is infinite
  });
  return columns;
}

// --- marks ---------------------------------------------------------------------------

function bisected(low, high, isLow) {
  for (let step = 0; step < 100; step += 1) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (isLow(middle)) low = middle;
    else high = middle;
  }
  return high;
}

function summit(low, high, height) {
  const share = (Math.sqrt(5) - 1) / 2;
  for (let step = 0; step < 60; step += 1) {
    const one = high - share * (high - low);
    const other = low + share * (high - low);
    if (height(one) < height(other)) low = one;
    else high = other;
  }
  return (low + high) / 2;
}

// Beside a peak the height is the same, beside a jump it is not.
function jumps(at, height) {
  const [before, after] = [height(at - 1e-9), height(at + 1e-9)];
  return Math.abs(before - after) > 1e-4 * Math.max(before, after);
}

const WHOLE = Float64Array.from({ length: POINTS }, (_, i) => -Math.cos((Math.PI * (i + 0.5)) / POINTS));

// B0, B1, peaks, changes of sign and dead zones of one setting, by cosine.
function marksOf(setting) {
  const bare = bareWorthOf(setting);
  const marks = Math.abs(bare) <= 1 ? [{ name: "B0", at: bare }] : [];
  const { logit, size, slope } = columnsOf(setting, WHOLE, ["gst", "slope", "logit"]);
  const { logit: logitAt, slope: slopeAt, gst: gstAt } = Object.fromEntries(
    ["logit", "slope", "gst"].map((name) => [name, along(setting, functionsOf(setting)[name])]));
  const worth = worthOf(setting);
  const isBelow = WHOLE.map((c, i) => logit[i] < setting.scale * worth(c));
  const height = (c) => Math.abs(gstAt(c));
  for (let i = 1; i < POINTS; i += 1) {
    const [low, high] = [WHOLE[i - 1], WHOLE[i]];
    if (isBelow[i - 1] !== isBelow[i]) {
      const below = Boolean(isBelow[i - 1]);
      const at = bisected(low, high, (c) => logitAt(c) < setting.scale * worth(c) === below);
      marks.push({ name: "B1", at });
    }
    if (slope[i - 1] * slope[i] < 0) {
      const sign = Math.sign(slope[i - 1]);
      marks.push({ name: "sign change", at: bisected(low, high, (c) => Math.sign(slopeAt(c)) === sign) });
    }
    if ((slope[i - 1] === 0) !== (slope[i] === 0)) {
      const dead = slope[i - 1] === 0;
      const edge = bisected(low, high, (c) => (slopeAt(c) === 0) === dead);
      marks.push({ name: dead ? "dead zone ends" : "dead zone begins", at: edge });
    }
    const isSummit = size[i] > size[i - 1] && size[i] > size[i + 1];
    if (isSummit && slope[i - 1] * slope[i + 1] > 0) {
      const peak = summit(low, WHOLE[i + 1], height);
      if (!jumps(peak, height)) marks.push({ name: "peak", at: peak, value: height(peak) });
    }
  }
  return marks;
}

function told(key) {
  const parts = found[key].map(({ name, at, value }) =>
    `${name} at ${at.toFixed(5)}${value === undefined ? "" : ` (|g| = ${value.toPrecision(6)})`}`);
  const setting = state[key];
  const scaler = rowOf(setting).rowQuantity === "margin_scaler" ? `, ẑ = ${scalerOf(setting)}` : "";
  const name = `${rowOf(setting).title} ${setting.profile}${setting.detached ? " detached" : ""}`;
  const rival = `n = ${bareWorthOf(setting).toPrecision(6)}${rowOf(setting).modifiesOthers ? " before weighing" : ""}`;
  return `${key.toUpperCase()}: ${name}, ${rival}${scaler}: ${parts.join("; ") || "no marks"}`;
}

// --- curves --------------------------------------------------------------------------

function cosinesShown() {
  const [low, high] = state.range;
  return Array.from({ length: POINTS }, (_, i) => low + ((high - low) * i) / (POINTS - 1));
}

// What was computed of a setting, until something that it hangs on is another.
const memory = {};

function once(what, key, parts, compute) {
  const [place, signature] = [`${what} ${key}`, JSON.stringify(parts)];
  if (memory[place]?.signature !== signature) memory[place] = { signature, value: compute() };
  return memory[place].value;
}

function redraw() {
  waiting = false;
  const start = performance.now();
  const cosines = cosinesShown();
  const values = {};
  found = { a: [], b: [] };
  for (const key of settings()) {
    const setting = state[key];
    values[key] = once("curves", key, [setting, state.range], () => columnsOf(setting, cosines));
    found[key] = once("marks", key, [setting], () => marksOf(setting));
  }
  for (const { id } of CURVES) {
    const column = (key) => Array.from(cosines, (_, i) => {
      const value = values[key]?.[id][i];
      return Number.isFinite(value) ? value : null;
    });
    charts[id].setData([cosines, column("a"), column("b")]);
  }
  byId("answer").textContent = settings().map(told).join("\n");
  byId("explanation").textContent = state.explanation;
  read();
  drawArcs();
  remember();
  // uPlot draws in microtasks of its own, which come before this one.
  queueMicrotask(() => {
    performance.clearMeasures("redraw");
    performance.measure("redraw", { start, end: performance.now() });
  });
}

function changed() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(redraw);
}

// What diverges next to a pole must not flatten the rest.
function yRange(chart, low, high) {
  const sizes = [];
  for (const series of chart.data?.slice(1) ?? []) for (const v of series) if (v !== null) sizes.push(v);
  if (!sizes.length) return [0, 1];
  sizes.sort((one, other) => one - other);
  const least = Math.min(0, sizes[Math.floor(sizes.length * 0.01)]);
  const most = Math.max(0, sizes[Math.ceil(sizes.length * 0.99) - 1]);
  const room = 0.08 * (most - least || 1);
  return [least < 0 ? least - room : 0, most > 0 ? most + room : room];
}

function drawMarks(chart) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  const [low, high] = state.range;
  settings().forEach((key, row) => {
    let level = 0;
    for (const { name, at } of [...found[key]].sort((one, other) => one.at - other.at)) {
      if (at < low || at > high) continue;
      const x = Math.round(chart.valToPos(at, "x", true));
      ctx.strokeStyle = ctx.fillStyle = COLOURS[key];
      ctx.setLineDash([4, 4]);
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      if (chart === charts.size) {
        const right = x < bbox.left + bbox.width / 2;
        ctx.textAlign = right ? "left" : "right";
        const y = bbox.top + (13 + 13 * (level + 5 * row)) * devicePixelRatio;
        ctx.fillText(name, x + (right ? 4 : -4) * devicePixelRatio, y);
        level = (level + 1) % 5;
      }
    }
  });
  ctx.restore();
}

function makeCharts() {
  for (const { id, title } of CURVES) {
    const holder = document.createElement("div");
    holder.id = `chart-${id}`;
    holder.tabIndex = 0;
    holder.setAttribute("role", "application");
    holder.setAttribute("aria-label", `${title}, against cos θ; arrow keys move the reading, + and - zoom at it, Escape shows all`);
    byId("charts").append(holder);
    charts[id] = new uPlot({
      title,
      ...sizeOf(holder, id),
      cursor: { sync: { key: "cosine" }, drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: false, range: () => state.range }, y: { range: yRange } },
      axes: [{ label: "cos θ", labelSize: 16, size: 34 }, { size: 60, values: (_, ticks) => ticks.map((tick) => String(Number(tick.toPrecision(4)))) }],
      series: [{}, { stroke: COLOURS.a, width: 2 }, { stroke: COLOURS.b, width: 2, dash: [8, 4] }],
      hooks: { draw: [drawMarks], setSelect: [zoom], setCursor: [hovered] },
    }, [[], [], []], holder);
    charts[id].over.addEventListener("dblclick", () => zoomTo([-1, 1]));
    holder.addEventListener("keydown", stepped);
  }
}

function sizeOf(holder, id) {
  return { width: Math.max(240, holder.clientWidth), height: id === "size" ? 300 : 190 };
}

function zoom(chart) {
  if (chart.select.width < 4) return;
  const ends = [chart.select.left, chart.select.left + chart.select.width];
  chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  zoomTo(ends.map((x) => Math.max(-1, Math.min(1, chart.posToVal(x, "x")))));
}

function zoomTo(range) {
  state.range = range;
  changed();
}

function hovered(chart) {
  const { idx, event } = chart.cursor;
  if (idx == null || !event) return;
  const cosine = chart.data[0][idx];
  if (cosine === undefined || cosine === state.reading) return;
  state.reading = cosine;
  read();
  remember();
}

function stepped(event) {
  const [low, high] = state.range;
  const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -50, PageUp: 50 }[event.key];
  if (event.key === "Escape") zoomTo([-1, 1]);
  const factor = { "+": 0.5, "-": 2 }[event.key];
  if (factor) zoomTo([low, high].map((end) => Math.max(-1, Math.min(1, state.reading + factor * (end - state.reading)))));
  if (step === undefined) return;
  event.preventDefault();
  const next = state.reading + (step * (high - low)) / (POINTS - 1);
  state.reading = Math.max(low, Math.min(high, next));
  read();
  remember();
}

// --- reading -------------------------------------------------------------------------

function hex(value) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 2047n);
  const fraction = (bits & ((1n << 52n) - 1n)).toString(16).padStart(13, "0");
  const sign = bits >> 63n ? "-" : "";
  if (exponent === 2047) return String(value);
  if (exponent === 0) return value === 0 ? `${sign}0x0.0p+0` : `${sign}0x0.${fraction}p-1022`;
  const power = exponent - 1023;
  return `${sign}0x1.${fraction}p${power < 0 ? "" : "+"}${power}`;
}

function read() {
  const box = byId("reading-cosine");
  if (document.activeElement !== box) box.value = String(state.reading);
  const values = settings().map((key) => [key, columnsOf(state[key], [state.reading])]);
  const head = values.map(([key]) => `<th scope="col">${key.toUpperCase()}</th><th></th>`).join("");
  const rows = ROWS.map(([id, name]) => {
    const cells = values.map(([key, value]) =>
      `<td data-setting="${key}" data-quantity="${id}">${value[id][0]}</td><td class="hex">${hex(value[id][0])}</td>`);
    return `<tr><th scope="row">${name}</th>${cells.join("")}</tr>`;
  });
  byId("reading").className = state.b ? "two" : "one";
  byId("reading-table").innerHTML = `<tr><th></th>${head}</tr>${rows.join("")}`;
}

function makeReading() {
  byId("reading").innerHTML =
    '<label>Values at cos θ = <input id="reading-cosine" type="number" min="-1" max="1" step="any"></label><table id="reading-table"></table>';
  byId("reading-cosine").addEventListener("input", ({ target }) => {
    if (!target.value || !target.validity.valid) return;
    state.reading = Number(target.value);
    read();
    remember();
  });
}

// --- feature space -------------------------------------------------------------------

// The scale of colours in steps, each as one pixel of an image.
const PALETTE = Uint32Array.from({ length: 256 }, (_, step) => {
  const stops = VOCABULARY.colours;
  const place = (step / 255) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(place));
  const mixed = stops[low].map((v, i) => v + (stops[low + 1][i] - v) * (place - low));
  return new Uint32Array(Uint8Array.of(...mixed, 255).buffer)[0];
});

// Nothing is painted where there is no number.
const colour = (share) => (Number.isNaN(share) ? 0 : PALETTE[Math.round(255 * Math.min(1, share))]);

// What the radius stands for: the share 0 is the lowest norm, 1 the highest.
function ofRadius(setting, share) {
  const own = rowOf(setting).rowQuantity;
  if (own === "margin_scaler") return { margin_scaler: 2 * share - 1 };
  if (own !== "feature_norm") return {};
  const { norm_lower: low, norm_upper: high } = setting;
  return { feature_norm: low + share * (high - low) };
}

const [SECTORS, WIDEST] = [90, Math.PI / 2];
const [LEFT, BOTTOM, RADIUS, HOLE] = [50, 440, 380, 90];

const radiusOf = (share) => HOLE + (RADIUS - HOLE) * share;

const placeOf = (angle, share) => {
  const radius = radiusOf(share);
  return [LEFT + radius * Math.cos(angle), BOTTOM - radius * Math.sin(angle)];
};

// Rings that differ: of most losses the radius changes nothing.
const ringsOf = (setting, count) => (Object.keys(ofRadius(setting, 0)).length ? count : 1);

// The rival of a sample: the setting's, or tied to the angle between its two classes.
const rivalAt = (setting, angle) => (state.tied ? Math.cos(WIDEST - angle) : rivalOf(setting));

// A function of (angle, ring) at the nodes of a grid.
const onGrid = (rings, value) => Array.from({ length: rings + 1 }, (_, ring) =>
  Array.from({ length: SECTORS + 1 }, (_, sector) => value((sector / SECTORS) * WIDEST, ring)));

// |g| in the middle of each cell, ring by ring from the inside.
function cellsOf(setting) {
  const { gst } = functionsOf(setting);
  const rings = ringsOf(setting, MOST_RINGS);
  return Array.from({ length: rings }, (_, ring) => {
    const byRadius = ofRadius(setting, (ring + 0.5) / rings);
    const fixed = along(setting, gst, byRadius);
    return Float64Array.from({ length: SECTORS }, (_, sector) => {
      const angle = ((sector + 0.5) / SECTORS) * WIDEST;
      const at = state.tied ? along(setting, gst, { ...byRadius, rival_cosine: rivalAt(setting, angle) }) : fixed;
      return Math.abs(at(Math.cos(angle)));
    });
  });
}

// The pixels of the sector in the square around it, and the cell of each, of SECTORS x
// MOST_RINGS.
const MOST_RINGS = 20;
const PIXELS = { places: [], cells: [] };
for (let place = 0; place < RADIUS * RADIUS; place += 1) {
  const [x, y] = [(place % RADIUS) + 0.5, RADIUS - Math.floor(place / RADIUS) - 0.5];
  const ring = Math.floor((MOST_RINGS * (Math.hypot(x, y) - HOLE)) / (RADIUS - HOLE));
  if (ring < 0 || ring >= MOST_RINGS) continue;
  PIXELS.places.push(place);
  PIXELS.cells.push(ring * SECTORS + Math.floor((Math.atan2(y, x) / WIDEST) * SECTORS));
}
PIXELS.places = Uint32Array.from(PIXELS.places);
PIXELS.cells = Uint16Array.from(PIXELS.cells);

function paintCells(ctx, cells, most) {
  const image = ctx.createImageData(RADIUS, RADIUS);
  const pixels = new Uint32Array(image.data.buffer);
  const rings = cells.map((ring) => Uint32Array.from(ring, (size) => colour(size / most)));
  const colours = new Uint32Array(MOST_RINGS * SECTORS);
  for (let ring = 0; ring < MOST_RINGS; ring += 1) {
    colours.set(rings[Math.floor((ring * rings.length) / MOST_RINGS)], ring * SECTORS);
  }
  for (let i = 0; i < PIXELS.places.length; i += 1) pixels[PIXELS.places[i]] = colours[PIXELS.cells[i]];
  ctx.putImageData(image, LEFT, BOTTOM - RADIUS);
}

// B0 and B1 as segments [[angle, share of the radius], the same] of their lines.
function boundariesOf(setting) {
  const { logit } = functionsOf(setting);
  const rings = ringsOf(setting, 24);
  const logits = Array.from({ length: rings + 1 }, (_, ring) => along(setting, logit, ofRadius(setting, ring / rings)));
  const bare = onGrid(1, (angle) => Math.cos(angle) - bareWorthOf(setting, rivalAt(setting, angle)));
  const fixed = worthOf(setting);
  const margined = onGrid(rings, (angle, ring) => {
    const worth = state.tied ? worthOf(setting, rivalAt(setting, angle)) : fixed;
    return logits[ring](Math.cos(angle)) - setting.scale * worth(Math.cos(angle));
  });
  return { B0: zeroSegments(bare), B1: zeroSegments(margined) };
}

const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]];

// Marching squares: in each cell the places on its edges where the sign changes, joined.
function zeroSegments(rows) {
  const segments = [];
  const rings = rows.length - 1;
  for (let ring = 0; ring < rings; ring += 1) {
    for (let sector = 0; sector < SECTORS; sector += 1) {
      const values = CORNERS.map(([across, up]) => rows[ring + up][sector + across]);
      const ends = [];
      values.forEach((one, i) => {
        const [next, other] = [(i + 1) % 4, values[(i + 1) % 4]];
        if (one > 0 === other > 0) return;
        const share = one / (one - other);
        const [across, up] = CORNERS[i].map((place, axis) => place + share * (CORNERS[next][axis] - place));
        ends.push([((sector + across) / SECTORS) * WIDEST, (ring + up) / rings]);
      });
      for (let i = 1; i < ends.length; i += 2) segments.push([ends[i - 1], ends[i]]);
    }
  }
  return segments;
}

function drawArcs() {
  const holder = byId("arcs");
  holder.className = state.b ? "two" : "one";
  const all = settings().map((key) => [key, once("cells", key, [state[key], state.tied], () => cellsOf(state[key]))]);
  // A scale that stays as margins move, so that what changes is what is seen.
  const most = 2 * Math.max(...settings().map((key) => state[key].scale));
  for (const key of ["a", "b"]) byId(`arc-${key}`).hidden = !state[key];
  for (const [key, cells] of all) drawArc(byId(`arc-${key}`), key, cells, most);
}

function drawArc(canvas, key, cells, most) {
  const ctx = canvas.getContext("2d", { willReadFrequently: true }); // kept where pixels are cheap to set
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  paintCells(ctx, cells, most);
  ctx.font = "16px system-ui, sans-serif";
  ctx.textAlign = "left";
  ctx.fillStyle = "#1b1b1b";
  ctx.fillText(`${key.toUpperCase()}: ${VOCABULARY.losses[state[key].loss].title} ${state[key].profile}`, 200, 24);
  ctx.fillText("own class", LEFT + RADIUS - 50, BOTTOM + 24);
  ctx.fillText("rival", 8, BOTTOM - RADIUS - 12);
  // On the canvas for whoever asks what is drawn.
  canvas.boundaries = once("boundaries", key, [state[key], state.tied], () => boundariesOf(state[key]));
  for (const [name, segments] of Object.entries(canvas.boundaries)) drawBoundary(ctx, name, segments);
  if (ringsOf(state[key], 2) > 1) drawMarkers(ctx);
  drawScale(ctx, most);
}

// A line with a light edge; its name stands where the line is farthest out.
function drawBoundary(ctx, name, segments) {
  if (!segments.length) return;
  for (const [width, style] of [[4, "#fff"], [2, name === "B0" ? "#0072b2" : "#111"]]) {
    ctx.strokeStyle = ctx.fillStyle = style;
    ctx.lineWidth = width;
    ctx.setLineDash(name === "B0" && width === 2 ? [6, 4] : []);
    ctx.beginPath();
    for (const [from, to] of segments) {
      ctx.moveTo(...placeOf(...from));
      ctx.lineTo(...placeOf(...to));
    }
    ctx.stroke();
  }
  ctx.setLineDash([]);
  const [angle, share] = segments.flat().reduce((most, end) => (end[1] > most[1] ? end : most));
  ctx.fillText(name, ...placeOf(angle, share + 0.05));
}

function drawMarkers(ctx) {
  for (const [angle, share, fill, hard] of [
    [0.3, 0.85, "#111", false], [1.25, 0.85, "#111", true], [0.3, 0.2, "#fff", false], [1.25, 0.2, "#fff", true],
  ]) {
    const [x, y] = placeOf(angle, share);
    ctx.beginPath();
    if (hard) {
      ctx.moveTo(x, y - 8);
      ctx.lineTo(x + 8, y + 7);
      ctx.lineTo(x - 8, y + 7);
      ctx.closePath();
    } else ctx.arc(x, y, 7, 0, 2 * Math.PI);
    ctx.fillStyle = fill;
    ctx.fill();
    ctx.strokeStyle = fill === "#fff" ? "#111" : "#fff";
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }
}

function drawScale(ctx, most) {
  const [left, top, height] = [478, 60, 300];
  const scale = ctx.createLinearGradient(0, top + height, 0, top);
  VOCABULARY.colours.forEach((stop, i, all) => scale.addColorStop(i / (all.length - 1), `rgb(${stop.join(",")})`));
  ctx.fillStyle = scale;
  ctx.fillRect(left, top, 14, height);
  ctx.fillStyle = "#1b1b1b";
  ctx.font = "14px system-ui, sans-serif";
  ctx.fillText(`≥ ${most.toPrecision(3)}`, left - 10, top - 8);
  ctx.fillText("0", left + 18, top + height);
  ctx.fillText("|g|", left + 18, top + 6);
}

// --- controls ------------------------------------------------------------------------

const isWhole = (loss, name) => name === "classes" || (VOCABULARY.losses[loss].hasArcs && name === "multiplier");

function control(key, name) {
  const [low, high, usualStep] = VOCABULARY.ranges[name];
  const whole = isWhole(state[key].loss, name);
  const step = whole ? 1 : usualStep;
  const id = `${key}-${name}`;
  const words = VOCABULARY.words[name];
  return `<div class="row"><label for="${id}">${VOCABULARY.symbols[name]}<small>${words}</small></label>
    <input type="range" id="${id}-slider" aria-label="${words}, setting ${key}" min="${low}" max="${high}" step="${step}" data-name="${name}">
    <input type="number" id="${id}" min="${low}" max="${high}" step="${whole ? 1 : "any"}" data-name="${name}"></div>`;
}

function chooser(key, name, options, label) {
  const id = `${key}-${name}`;
  const items = options.map(([value, text]) => `<option value="${value}">${text}</option>`).join("");
  return `<div class="row"><label for="${id}">${label}</label><select id="${id}" data-name="${name}">${items}</select></div>`;
}

function fill(key) {
  const box = byId(`setting-${key}`);
  const setting = state[key];
  box.hidden = !setting;
  if (!setting) return;
  const losses = Object.entries(VOCABULARY.losses).map(([id, { title }]) => [id, title]);
  box.innerHTML = `<legend>Setting ${key.toUpperCase()}</legend>` +
    chooser(key, "loss", losses, "loss") +
    chooser(key, "profile", rulesOf(setting.loss).map((rule) => [rule, rule]), "profile") +
    chooser(key, "detached", [["false", "true gradient"], ["true", "detached gradient"]], "gradient") +
    chooser(key, "rival", [["cosine", "one rival cosine"], ["classes", "C classes, all at one cosine"]], "rival") +
    inputsOf(setting).map((name) => control(key, name)).join("");
  for (const select of box.querySelectorAll("select")) select.value = String(setting[select.dataset.name]);
  for (const input of box.querySelectorAll("input")) input.value = String(setting[input.dataset.name]);
}

function entered(key, { target }) {
  state.explanation = "";
  const { name } = target.dataset;
  const setting = state[key];
  if (target.tagName === "SELECT") {
    if (name === "loss") {
      const kept = { rival: setting.rival, rival_cosine: setting.rival_cosine, scale: setting.scale };
      state[key] = { ...usual(target.value), ...kept };
    } else setting[name] = name === "detached" ? target.value === "true" : target.value;
    fill(key);
    byId(target.id).focus();
  } else {
    if (target.value === "" || !target.validity.valid) return;
    setting[name] = Number(target.value);
    const twin = byId(target.type === "range" ? `${key}-${name}` : `${key}-${name}-slider`);
    twin.value = target.value;
  }
  changed();
}

function makeControls() {
  byId("controls").innerHTML = `<fieldset id="setting-a"></fieldset>
    <p><button type="button" id="compare"></button></p>
    <fieldset id="setting-b" class="b"></fieldset>
    <p><label><input type="checkbox" id="tied"> feature space: rival tied to the angle</label></p>
    <p><button type="button" id="share">${SHARE}</button></p>`;
  for (const key of ["a", "b"]) {
    byId(`setting-${key}`).addEventListener("input", (event) => entered(key, event));
    byId(`setting-${key}`).addEventListener("change", ({ target }) => target.reportValidity());
  }
  byId("compare").addEventListener("click", () => {
    state.b = state.b ? null : { ...state.a };
    state.explanation = "";
    refresh();
  });
  byId("tied").addEventListener("input", ({ target }) => {
    state.tied = target.checked;
    changed();
  });
  byId("share").addEventListener("click", async ({ target }) => {
    keep();
    try {
      await navigator.clipboard.writeText(location.href);
      target.textContent = "Copied";
    } catch {
      target.textContent = "Copy it from the address bar";
    }
  });
  byId("arcs").innerHTML = ["a", "b"].map((key) =>
    `<canvas id="arc-${key}" width="540" height="470" role="img" aria-label="Feature space of setting ${key.toUpperCase()}"></canvas>`).join("");
}

function refresh() {
  for (const key of ["a", "b"]) fill(key);
  byId("compare").textContent = state.b ? "One setting only" : "Compare with a second setting";
  byId("tied").checked = state.tied;
  changed();
}

function makePresets() {
  for (const preset of VOCABULARY.presets) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = preset.title;
    button.addEventListener("click", () => recallPreset(preset));
    byId("presets").append(button);
  }
}

// --- the view in the address ---------------------------------------------------------

function written() {
  const view = new URLSearchParams();
  for (const key of settings()) {
    const setting = state[key];
    view.set(`${key}.loss`, setting.loss);
    const plain = usual(setting.loss);
    for (const name of ["profile", "detached", "rival", ...inputsOf(setting)]) {
      if (setting[name] !== plain[name]) view.set(`${key}.${name}`, String(setting[name]));
    }
  }
  if (state.range[0] !== -1 || state.range[1] !== 1) view.set("range", state.range.join(","));
  if (state.tied) view.set("tied", "true");
  view.set("at", String(state.reading));
  return view.toString();
}

let pending = 0;

function keep() {
  clearTimeout(pending);
  history.replaceState(null, "", `#${written()}`);
}

function remember() {
  clearTimeout(pending);
  pending = setTimeout(keep, 120);
  byId("share").textContent = SHARE;
}

function finite(text, low, high, otherwise) {
  const value = Number(text);
  return text !== null && text !== "" && value >= low && value <= high ? value : otherwise;
}

// What an address does not say, or says wrongly, is as usual.
function settingFrom(view, key) {
  const loss = view.get(`${key}.loss`);
  if (!Object.hasOwn(TABLE, loss ?? "")) return null;
  const setting = usual(loss);
  const profile = view.get(`${key}.profile`);
  if (rulesOf(loss).includes(profile)) setting.profile = profile;
  setting.detached = view.get(`${key}.detached`) === "true";
  if (view.get(`${key}.rival`) === "classes") setting.rival = "classes";
  for (const [name, [low, high]] of Object.entries(VOCABULARY.ranges)) {
    const value = finite(view.get(`${key}.${name}`), low, high, setting[name]);
    if (!isWhole(loss, name) || Number.isInteger(value)) setting[name] = value;
  }
  return setting;
}

function recallPreset({ view, explanation }) {
  recall(new URLSearchParams(view));
  state.explanation = explanation;
  refresh();
}

function recall(view) {
  state.explanation = "";
  state.a = settingFrom(view, "a") ?? usual("arcface");
  state.b = settingFrom(view, "b");
  const [low, high] = (view.get("range") ?? "-1,1").split(",").map((text) => finite(text, -1, 1, NaN));
  state.range = low < high ? [low, high] : [-1, 1];
  state.tied = view.get("tied") === "true";
  state.reading = finite(view.get("at"), -1, 1, 0.5);
}

makeControls();
makeReading();
makePresets();
makeCharts();
if (location.hash.length > 1) {
  recall(new URLSearchParams(location.hash.slice(1)));
  refresh();
} else recallPreset(VOCABULARY.presets[0]);
addEventListener("hashchange", ({ newURL }) => {
  // Not location.hash: a view that was still to be remembered may have replaced it.
  clearTimeout(pending);
  const view = new URL(newURL).hash.slice(1);
  if (view === written()) return;
  recall(new URLSearchParams(view));
  refresh();
});
addEventListener("resize", () => {
  for (const { id } of CURVES) charts[id].setSize(sizeOf(byId(`chart-${id}`), id));
});
