// Speaks the line protocol on standard input and output.
import { createInterface } from "node:readline";
import { TABLE } from "./margin_softmax.js";

const LIMIT = { float64: 16, float32: 8 };

function decoded(text, digits) {
  const bytes = Buffer.from(text, "hex");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new Float64Array(text.length / digits);
  for (let i = 0; i < values.length; i += 1) {
    values[i] = digits === 16 ? view.getFloat64(8 * i) : view.getFloat32(4 * i);
  }
  return values;
}

function encoded(values, digits) {
  const bytes = Buffer.alloc((values.length * digits) / 2);
  values.forEach((value, i) => {
    if (digits === 16) bytes.writeDoubleBE(value, 8 * i);
    else bytes.writeFloatBE(value, 4 * i);
  });
  return bytes.toString("hex");
}

function hello() {
  const losses = {};
  const quantities = new Set();
  for (const [loss, { profiles }] of Object.entries(TABLE)) {
    losses[loss] = Object.keys(profiles);
    for (const row of Object.values(profiles)) Object.keys(row).forEach((name) => quantities.add(name));
  }
  const about = { name: "margin-softmax-javascript", language: "JavaScript", version: "@version@" };
  const dtypes = Object.keys(LIMIT);
  return { type: "hello", protocol: 1, ...about, losses, dtypes, quantities: [...quantities] };
}

function evaluate({ id, loss, profile, dtype, count, quantities, parameters, points }) {
  const row = TABLE[loss]?.profiles[profile];
  const digits = LIMIT[dtype];
  if (!row || !digits) return { type: "error", id, message: "not supported" };
  const columns = {};
  for (const [name, text] of Object.entries(parameters)) columns[name] = decoded(text, 16);
  for (const [name, text] of Object.entries(points)) columns[name] = decoded(text, digits);
  const values = {};
  for (const quantity of quantities) {
    if (!row[quantity]) return { type: "error", id, message: `no ${quantity}` };
    const names = [...row[quantity].inputs, ...TABLE[loss].parameters];
    if (names.some((name) => !columns[name])) return { type: "error", id, message: "inputs missing" };
    const given = names.map((name) => columns[name]);
    const found = new Float64Array(count);
    for (let i = 0; i < count; i += 1) {
      found[i] = row[quantity].evaluate(...given.map((column) => column[column.length === 1 ? 0 : i]));
    }
    values[quantity] = encoded(found, digits);
  }
  return { type: "values", id, values };
}

for await (const line of createInterface({ input: process.stdin, terminal: false })) {
  const message = JSON.parse(line);
  let answer = { type: "bye" };
  if (message.type === "hello") answer = hello();
  if (message.type === "evaluate") answer = evaluate(message);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  if (message.type === "bye") break;
}
