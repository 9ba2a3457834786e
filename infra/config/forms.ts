import { matching } from "./reader.ts";

/** An IPv4 range in CIDR notation (RFC 4632). */
export const CIDR = matching(
  /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!\/)|(?=\/))){4}\/(?:[12]?\d|3[0-2])$/,
  "an IPv4 range such as 203.0.113.0/24",
);
