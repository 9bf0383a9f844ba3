// Checks an implementation against test vectors, without knowing anything else.
// node check.mjs smoke.json implementation.mjs [float32]
// The implementation exports answer(row, number), which gives a number, or undefined
// where it does not have what the row asks.
import { readFileSync, realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";

export function valueOf({ bits }) {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${bits}`));
  return view.getFloat64(0);
}

export function isRight(row, got, dtype = "float64") {
  const right = [row.float64, ...(row.also ?? [])].map(valueOf);
  // A clamp gives 0 or less than the limit there, and never another sign.
  if (row.flags.includes("pole")) return Math.sign(got) * Math.sign(right[0]) >= 0;
  return right.some((value) => value === got || Math.abs(value - got) <= row.allowed[dtype]);
}

// What became of each row: true, false, or undefined where there was no answer.
export function checked({ rows }, answer, dtype = "float64") {
  return rows.map((row, number) => {
    const got = answer(row, number);
    return got === undefined ? undefined : isRight(row, got, dtype);
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  const [file, implementation, dtype] = process.argv.slice(2);
  const vectors = JSON.parse(readFileSync(file, "utf8"));
  const { answer } = await import(pathToFileURL(implementation).href);
  const found = checked(vectors, answer, dtype);
  vectors.rows.forEach((row, number) => {
    const word = { true: "PASS", false: "FAIL", undefined: "NOT ANSWERED" }[found[number]];
    console.log(`${word} ${number} ${row.loss} ${row.profile} ${row.quantity} ${row.flags.join(" ")}`);
  });
  const [right, wrong] = [true, false].map((is) => found.filter((row) => row === is).length);
  console.log(`${right} passed, ${wrong} failed, ${found.length - right - wrong} not answered`);
  process.exitCode = wrong || !right ? 1 : 0;
}
