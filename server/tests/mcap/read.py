"""Reads a recording with the packages of MCAP's and Foxglove's users, and prints what it has as JSON."""

import hashlib
import json
import struct
import sys
import zlib

from mcap.reader import make_reader
from mcap.stream_reader import StreamReader
from mcap_protobuf.decoder import DecoderFactory

MAGIC = b"\x89MCAP0\r\n"
# Bytes of a record before its fields, and of the footer.
HEAD, FOOTER = 9, 29


def nanoseconds(time):
    return time.seconds * 1_000_000_000 + time.nanos


def image(schema, message):
    pixels = {"sha256": hashlib.sha256(message.data).hexdigest(), "bytes": len(message.data)}
    at = {"at": nanoseconds(message.timestamp), "schema": schema}
    if schema == "foxglove.CompressedImage":
        return {**pixels, **at, "format": message.format}
    layout = {"width": message.width, "height": message.height, "encoding": message.encoding, "step": message.step}
    return {**pixels, **at, **layout}


def marks(message):
    circles = [
        {
            "at": nanoseconds(circle.timestamp),
            "x": circle.position.x,
            "y": circle.position.y,
            "diameter": circle.diameter,
        }
        for circle in message.circles
    ]
    return {"circles": circles, "texts": [text.text for text in message.texts]}


def checksums(path):
    """Whether the checksums of data and summary, which the package does not compare, are right."""
    file = open(path, "rb").read()
    footer = len(file) - len(MAGIC) - FOOTER
    summary, _, of_summary = struct.unpack("<QQI", file[footer + HEAD : footer + FOOTER])
    if summary == 0:
        return False
    of_data = struct.unpack("<I", file[summary - 4 : summary])[0]
    data_end = summary - HEAD - 4
    return zlib.crc32(file[:data_end]) == of_data and zlib.crc32(file[summary : footer + FOOTER - 4]) == of_summary


def main(path):
    found = {"frames": {}, "topics": {}, "checksums": checksums(path)}
    with open(path, "rb") as file:
        # Every record of the file, with the checksums of its chunks.
        records = [type(record).__name__ for record in StreamReader(file, validate_crcs=True).records]
        found["records"] = {name: records.count(name) for name in set(records)}
        file.seek(0)
        reader = make_reader(file, validate_crcs=True, decoder_factories=[DecoderFactory()])
        summary = reader.get_summary()
        found["summary"] = summary is not None
        if summary:
            found["messages"] = summary.statistics.message_count
            spans = [chunk.message_end_time - chunk.message_start_time for chunk in summary.chunk_indexes]
            found["longest_chunk_ns"] = max(spans)
        found["metadata"] = {record.name: record.metadata for record in reader.iter_metadata()}
        found["attachments"] = {record.name: len(record.data) for record in reader.iter_attachments()}
        for schema, channel, message in reader.iter_messages():
            found["topics"].setdefault(channel.topic, schema.name)
            frame = found["frames"].setdefault(str(message.sequence), {"log_times": []})
            frame["log_times"].append(message.log_time)
            if schema.encoding == "jsonschema":
                frame[channel.topic] = json.loads(message.data)
        file.seek(0)
        for schema, channel, message, decoded in make_reader(
            file, decoder_factories=[DecoderFactory()]
        ).iter_decoded_messages(["/camera/image", "/truth", "/estimate"]):
            read = marks(decoded) if schema.name == "foxglove.ImageAnnotations" else image(schema.name, decoded)
            found["frames"][str(message.sequence)][channel.topic] = read
    json.dump(found, sys.stdout)


main(sys.argv[1])
