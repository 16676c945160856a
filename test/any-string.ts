import fc from "fast-check";

/** Strings of any code points, lone surrogates included, weighted towards what text is made of. */
export const anyString: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(fc.integer({ min: 0, max: 0x10ffff }), fc.integer({ min: 0, max: 0x24f }), fc.constant(0x20)),
  )
  .map((points) => String.fromCodePoint(...points));
