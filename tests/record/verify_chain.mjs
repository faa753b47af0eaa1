// A verifier of the record in another language, written from docs/storage.md alone: no JSON number is ever read.
// node verify_chain.mjs PUBLIC_KEY_HEX < events.jsonl   prints how many hold, or the first that does not, and exits 1.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(process.argv[2], "hex")]);
const key = createPublicKey({ key: spki, format: "der", type: "spki" });
const text = (line, name) => new RegExp(`,"${name}":"([^"]*)"`, "g");
const last = (line, name) => [...line.matchAll(text(line, name))].at(-1);

let before = "0".repeat(64);
let count = 0;
for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const hash = last(line, "hash");
  const signature = last(line, "signature");
  const bare = line.slice(0, hash.index) + line.slice(hash.index + hash[0].length, signature.index)
    + line.slice(signature.index + signature[0].length);
  const digest = createHash("sha256").update(bare, "utf8").digest();
  const holds = digest.toString("hex") === hash[1] && last(line, "prev_hash")[1] === before
    && verify(null, digest, key, Buffer.from(signature[1], "hex"));
  if (!holds) {
    console.log(`event ${count + 1} does not hold`);
    process.exit(1);
  }
  before = hash[1];
  count += 1;
}
console.log(`${count} hold`);
