"""Writes MCAP files as others write them: others.py FILE KIND."""

import struct
import sys

from mcap.writer import CompressionType, Writer

WIDTH, HEIGHT, FRAMES = 32, 24, 6


def pixels(frame, channels=1):
    return bytes((frame * 10 + x + y) % 256 for y in range(HEIGHT) for x in range(WIDTH) for _ in range(channels))


def varint(number):
    out = b""
    while True:
        number, low = number >> 7, number & 0x7F
        out += bytes([low | (0x80 if number else 0)])
        if not number:
            return out


def raw_image(encoding, step, data, width=WIDTH, height=HEIGHT):
    """foxglove.RawImage, field by field."""
    text = encoding.encode()
    return (
        b"\x15" + struct.pack("<I", width) + b"\x1d" + struct.pack("<I", height)
        + b"\x22" + varint(len(text)) + text + b"\x2d" + struct.pack("<I", step) + b"\x32" + varint(len(data)) + data
    )


def ros2_image(encoding, step, data, width=WIDTH, height=HEIGHT):
    """sensor_msgs/msg/Image as CDR."""
    out = bytearray()

    def number(value):
        out.extend(b"\0" * (-len(out) % 4))
        out.extend(struct.pack("<I", value))

    def text(value):
        number(len(value) + 1)
        out.extend(value.encode() + b"\0")

    number(1)
    number(2)
    text("cam")
    number(height)
    number(width)
    text(encoding)
    out.append(0)
    number(step)
    number(len(data))
    return b"\0\x01\0\0" + bytes(out) + data


KINDS = {
    "raw": (CompressionType.NONE, "foxglove.RawImage", "protobuf", raw_image, "mono8", 1),
    "zstd": (CompressionType.ZSTD, "foxglove.RawImage", "protobuf", raw_image, "rgb8", 3),
    "lz4": (CompressionType.LZ4, "sensor_msgs/msg/Image", "cdr", ros2_image, "bgr8", 3),
    "bayer": (CompressionType.NONE, "sensor_msgs/msg/Image", "cdr", ros2_image, "bayer_rggb8", 1),
}


def main(path, kind):
    topics = ["/left/image", "/right/image"] if kind == "two" else ["/left/image"]
    compression, schema, encoding, write, layout, channels = KINDS.get(kind, KINDS["raw"])
    with open(path, "wb") as file:
        writer = Writer(file, compression=compression)
        writer.start()
        if kind == "none":
            schema, encoding = "std_msgs/msg/String", "cdr"
        name = writer.register_schema(schema, "ros2msg", b"")
        ids = [writer.register_channel(topic, encoding, name) for topic in topics]
        for frame in range(FRAMES):
            width = WIDTH * 2 if kind == "sizes" and frame == 3 else WIDTH
            height = HEIGHT // 2 if width != WIDTH else HEIGHT
            data = write(layout, width * channels, pixels(frame, channels), width, height)
            for channel in ids:
                writer.add_message(channel, frame * 50_000_000, data, frame * 50_000_000, frame)
        writer.finish()


main(*sys.argv[1:])
