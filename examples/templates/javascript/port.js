// A port in JavaScript to start from: put your own code into `evaluate`.
//     adaface-ref port -- node port.js
const readline = require("node:readline");

const HELLO = {
  type: "hello", protocol: 1, name: "my-port", language: "JavaScript", version: "0.1",
  losses: { cosface: ["pure"] }, dtypes: ["float64"], quantities: ["logit", "gst"],
};

// CosFace at target cosine c and rival cosine n: FILL IN YOUR OWN.
function evaluate(quantity, c, n, p) {
  const logit = p.scale * (c - p.margin);
  if (quantity === "logit") return logit;
  // gst = (P - 1) s. Formed as 1 - P = 1/(1 + e^x) it does not cancel as P nears 1.
  const x = logit - p.scale * n;
  const small = Math.exp(-Math.abs(x));
  return (-p.scale * (x > 0 ? small : 1)) / (1 + small);
}

function unpack(text) {
  const bytes = Buffer.from(text, "hex");
  return (i) => bytes.readDoubleBE(bytes.length === 8 ? 0 : 8 * i); // one value for all?
}

const each = (columns, f) =>
  Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, f(value)]));

function answer(ask) {
  if (ask.type !== "evaluate") return ask.type === "hello" ? HELLO : { type: "bye" };
  const parameters = each(ask.parameters, unpack);
  const points = each(ask.points, unpack);
  const rival = points.rival_cosine ?? points.target_cosine; // the logit needs none
  const values = {};
  for (const quantity of ask.quantities) {
    const bytes = Buffer.alloc(8 * ask.count);
    for (let i = 0; i < ask.count; i++) {
      const p = each(parameters, (at) => at(i));
      bytes.writeDoubleBE(evaluate(quantity, points.target_cosine(i), rival(i), p), 8 * i);
    }
    values[quantity] = bytes.toString("hex");
  }
  return { type: "values", id: ask.id, values };
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  process.stdout.write(JSON.stringify(answer(request)) + "\n");
  if (request.type === "bye") process.stdin.destroy();
});
