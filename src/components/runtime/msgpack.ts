// msgpack.ts: arbitrary values on a ring. A file of its own, so that only who uses it starts with a decoder in the bundle.

export { type Boxed, PackedConsumer, PackedProducer } from "../../ring/payload/packed-ring.ts"
