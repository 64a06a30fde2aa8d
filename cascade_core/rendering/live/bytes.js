// @ts-check
/** Bytes that came as text, and the payload's compressed ones. */

/** @import { Payload } from "./types.js" */

/** The bytes of base64; bytes as they are. @param {string | Uint8Array} text */
export function bytesOf(text) {
  if (typeof text !== "string") return text;
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = letters.charCodeAt(i); // ten times as fast as Uint8Array.from
  return bytes;
}

/**
 * A payload that was compressed (`packed` in data.py) as `mount` takes it; any other as it is.
 * @param {Payload} data
 */
export async function unpack(data) {
  if (!data.packed) return data;
  const { packed, ...rest } = data;
  const whole = { ...rest };
  for (const [part, names] of Object.entries(packed.parts)) {
    const found = { ...whole[part] };
    for (const name of names) {
      const stream = new Blob([/** @type {BlobPart} */ (bytesOf(found[name]))]).stream().pipeThrough(new DecompressionStream(packed.format));
      found[name] = new Uint8Array(await new Response(stream).arrayBuffer());
    }
    whole[part] = found;
  }
  if (whole.elsewhere) whole.elsewhere = await unpack(whole.elsewhere);
  return whole;
}
