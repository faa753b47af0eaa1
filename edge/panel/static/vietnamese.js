// Vietnamese words typed with dead keys after the letter: a tone or a hat goes to the vowel of the last word that carries it, as
// every Vietnamese keyboard does. Pressed again, it goes away. Plain text in and out.

/** The dead keys: what stands on the key, and the combining mark. The first five are tones, one to a word. */
export const MARKS = [
  ["á", "\u0301"], ["à", "\u0300"], ["ả", "\u0309"], ["ã", "\u0303"], ["ạ", "\u0323"], ["âêô", "\u0302"], ["ă", "\u0306"], ["ơư", "\u031b"],
];
const TONES = new Set(MARKS.slice(0, 5).map(([, mark]) => mark));
const CARRIES = { "\u0302": "aeo", "\u0306": "a", "\u031b": "ou" };
const HATS = Object.keys(CARRIES);
const VOWELS = "aeiouy";
const LAST_WORD = /[\p{L}\p{M}]+$/u;

/** The text with `mark` put to, or taken from, its last word; a word that cannot carry it stays as it is. */
export function marked(text, mark) {
  const word = LAST_WORD.exec(text)?.[0];
  if (!word) return text;
  const letters = split(word);
  const tone = letters.flatMap((letter) => letter.marks).find((each) => TONES.has(each)) ?? "";
  for (const letter of letters) letter.marks = letter.marks.filter((each) => !TONES.has(each));
  if (!TONES.has(mark)) hat(letters, mark);
  const next = TONES.has(mark) ? (tone === mark ? "" : mark) : tone;
  const at = toneAt(letters);
  if (next && at >= 0) letters[at].marks.push(next);
  return text.slice(0, -word.length) + letters.map((letter) => letter.base + letter.marks.join("")).join("").normalize("NFC");
}

/** One entry a letter: {base, marks}. */
function split(word) {
  const letters = [];
  for (const sign of word.normalize("NFD")) {
    if (/\p{M}/u.test(sign) && letters.length) letters.at(-1).marks.push(sign);
    else letters.push({ base: sign, marks: [] });
  }
  return letters;
}

const is = (letter, set) => set.includes(letter.base.toLowerCase());

/** The vowels of the word's syllable: [first, past the last]. The u of "qu" and the i of "gia" belong to the consonant. */
function nucleus(letters) {
  let end = letters.length;
  while (end > 0 && !is(letters[end - 1], VOWELS)) end -= 1;
  let begin = end;
  while (begin > 0 && is(letters[begin - 1], VOWELS)) begin -= 1;
  const before = begin > 0 ? letters[begin - 1].base.toLowerCase() : "";
  const first = end - begin > 1 ? letters[begin].base.toLowerCase() : "";
  if ((before === "q" && first === "u") || (before === "g" && first === "i")) begin += 1;
  return [begin, end];
}

function hat(letters, mark) {
  const [begin, end] = nucleus(letters);
  let at = end - 1;
  while (at >= begin && !is(letters[at], CARRIES[mark])) at -= 1;
  if (at < begin) return;
  const had = letters[at].marks.includes(mark);
  put(letters[at], mark, had);
  // "uo" takes the horn as a pair: đường, nước.
  const pair = mark === "\u031b" && is(letters[at], "o") && at > begin && is(letters[at - 1], "u");
  if (pair) put(letters[at - 1], mark, had);
}

const put = (letter, mark, had) => { letter.marks = [...letter.marks.filter((each) => !HATS.includes(each)), ...(had ? [] : [mark])]; };

/** Where the tone is written: on the vowel with a hat, else the middle of three, the first of two before nothing, the second of two. */
function toneAt(letters) {
  const [begin, end] = nucleus(letters);
  for (let at = end - 1; at >= begin; at -= 1) if (letters[at].marks.some((each) => HATS.includes(each))) return at;
  if (end <= begin) return -1;
  if (end - begin >= 3) return begin + 1;
  return end - begin === 2 && end < letters.length ? begin + 1 : begin;
}
