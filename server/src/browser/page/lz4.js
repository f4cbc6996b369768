// The LZ4 block format (lz4_Block_format.md in the sources of LZ4), decoder only.

/** The `size` bytes of a block. Throws if the block is not exactly that. */
export function unlz4(block, size) {
  const out = new Uint8Array(size);
  let at = 0;
  let to = 0;
  const wrong = () => new Error("the LZ4 block is damaged");
  const length = (start) => {
    let total = start;
    if (start === 15) {
      let more;
      do {
        if (at >= block.length) throw wrong();
        more = block[at++];
        total += more;
      } while (more === 255);
    }
    return total;
  };
  while (at < block.length) {
    const token = block[at++];
    const literals = length(token >> 4);
    if (at + literals > block.length || to + literals > size) throw wrong();
    out.set(block.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    // The last sequence has no match.
    if (at === block.length) break;
    if (at + 2 > block.length) throw wrong();
    const offset = block[at] | (block[at + 1] << 8);
    at += 2;
    const match = length(token & 15) + 4;
    if (offset === 0 || offset > to || to + match > size) throw wrong();
    if (offset >= match) out.copyWithin(to, to - offset, to - offset + match);
    // A match that overlaps itself repeats its bytes.
    else if (offset === 1) out.fill(out[to - 1], to, to + match);
    else for (let place = 0; place < match; place++) out[to + place] = out[to + place - offset];
    to += match;
  }
  if (to !== size) throw wrong();
  return out;
}
