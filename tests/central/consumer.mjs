// A consumer in another language, written from docs/protocol.md and docs/storage.md alone, on a library of others (mqtt.js).
// node consumer.mjs mqtt://HOST:PORT SITE FOLDER [KEYS.json]     KEYS.json: {"lane": "public key as hex"}
// One folder is its store: LANE.jsonl has the events, one a line as they came; photos/ has the photos by SHA-256.
import { createHash, createPublicKey, verify } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, readdirSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const mqtt = createRequire(import.meta.url)("mqtt");
const [url, site, folder, keyFile] = process.argv.slice(2);
const root = `ckso/v1/${site}`;
const keys = Object.fromEntries(Object.entries(keyFile ? JSON.parse(readFileSync(keyFile)) : {}).map(([lane, hex]) =>
  [lane, createPublicKey({ key: Buffer.from(`302a300506032b6570032100${hex}`, "hex"), format: "der", type: "spki" })]));
const say = (what) => console.log(JSON.stringify(what));
const instance = String(process.pid);
mkdirSync(join(folder, "photos"), { recursive: true });

/** Written and fsynced; only what has come through here is ever acknowledged. */
function durable(path, bytes, flags) {
  const file = openSync(path, flags);
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  fsyncSync(file);
  closeSync(file);
  const directory = openSync(join(path, ".."), "r");
  fsyncSync(directory);
  closeSync(directory);
}

// ------------------------------------------------------------ the store: every event once, and how far a lane is whole

const lanes = new Map();
const lane = (name) => lanes.get(name) ?? lanes.set(name, { at: new Map(), ids: new Set(), acked: 0, hash: "0".repeat(64), losses: [] }).get(name);

function keep(row, event) {
  row.at.set(event.seq, { hash: event.hash, prev: event.prev_hash });
  row.ids.add(event.event_id);
  if (event.kind === "alarm" && Number.isInteger(event.body?.lost_from)) row.losses.push([event.body.lost_from, Math.min(event.body.lost_to, event.seq - 1)]);
}

/** Rules 2, 6 and 15: over everything that is whole, behind what its gate declares lost, never over another history. */
function advance(row) {
  for (;;) {
    const next = row.at.get(row.acked + 1);
    if (next && (row.hash === null || next.prev === row.hash)) { row.acked += 1; row.hash = next.hash; continue; }
    const last = Math.max(0, ...row.losses.filter(([from, to]) => from <= row.acked + 1 && to > row.acked).map(([, to]) => to));
    if (last === 0) return;
    row.acked = last;
    row.hash = null;
  }
}

for (const file of readdirSync(folder).filter((name) => name.endsWith(".jsonl"))) {
  const row = lane(file.slice(0, -6));
  for (const line of readFileSync(join(folder, file), "utf8").split("\n").filter(Boolean)) keep(row, JSON.parse(line));
  advance(row);
}

/** docs/storage.md: the hash is over the bytes as they came, without hash and signature. Which key signs, the registry says. */
function faults(text, event, name) {
  const last = (key) => [...text.matchAll(new RegExp(`,"${key}":"([^"]*)"`, "g"))].at(-1);
  const hash = last("hash"), signature = last("signature");
  if (!hash || !signature || typeof event.event_id !== "string" || !Number.isInteger(event.seq) || event.seq < 1) return "no envelope";
  if (event.lane !== name || event.site !== site) return "not of this topic";
  const bare = text.slice(0, hash.index) + text.slice(hash.index + hash[0].length, signature.index) + text.slice(signature.index + signature[0].length);
  const digest = createHash("sha256").update(bare, "utf8").digest();
  if (digest.toString("hex") !== event.hash) return "content does not give its hash";
  if (keys[name] && !verify(null, digest, keys[name], Buffer.from(event.signature, "hex"))) return "not signed by this lane's key";
  return "";
}

function takeEvent(name, payload) {
  const text = payload.toString("utf8"), row = lane(name);
  let event;
  try { event = JSON.parse(text); } catch { return say({ refused: name, why: "no JSON" }); }
  const why = faults(text, event ?? {}, name);
  if (why) return say({ refused: name, why });
  const held = row.at.get(event.seq);
  if (!held && !row.ids.has(event.event_id)) { durable(join(folder, `${name}.jsonl`), Buffer.from(`${text}\n`), "a"); keep(row, event); advance(row); }
  else if (held?.hash !== event.hash) say({ conflict: name, seq: event.seq });
  acknowledge(name, row);
}

const acknowledge = (name, row) => publish(`${root}/${name}/ack`, { seq: row.acked, ...(row.acked && row.hash ? { hash: row.hash } : {}) });

function takePhoto(name, payload) {
  const sha256 = createHash("sha256").update(payload).digest("hex"), path = join(folder, "photos", `${sha256}.jpg`);
  if (!existsSync(path)) durable(path, payload, "w");
  publish(`${root}/${name}/evidence_ack`, { sha256: [sha256] });
}

// ------------------------------------------------------------ the broker

const word = (online) => JSON.stringify({ online, at: new Date().toISOString(), instance, evidence_ack: true });
const client = mqtt.connect(url, { protocolVersion: 5, clean: true, will: { topic: `${root}/centre`, payload: word(false), qos: 1, retain: true } });
const publish = (topic, body, retain = false) => client.publish(topic, typeof body === "string" ? body : JSON.stringify(body), { qos: 1, retain });
const there = () => publish(`${root}/centre`, word(true), true);

client.on("connect", () => client.subscribe(["event", "evidence/+", "status", "refused"].map((what) => `${root}/+/${what}`), { qos: 1 }, () => {
  publish(`${root}/watchlist`, { plates: [] }, true);
  for (const [name, row] of lanes) acknowledge(name, row);
  there();
  say({ connected: site });
}));
client.on("message", (topic, payload) => {
  const [name, what] = topic.slice(root.length + 1).split("/");
  if (what === "event") takeEvent(name, payload);
  else if (what === "evidence") takePhoto(name, payload);
  else if (what === "refused") say({ told: name, what: payload.toString("utf8") });
  else if (what === "status" && payload.includes("\"online\": true")) there();
});
setInterval(there, 15_000);
