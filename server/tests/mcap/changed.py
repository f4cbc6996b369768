"""Writes a recording again with one change, as another program might: changed.py FILE OUT CHANGE."""

import json
import sys

from mcap.stream_reader import StreamReader
from mcap.records import Channel, Message, Metadata, Schema
from mcap.writer import Writer

NOTE = "plumb.Frame"


def main(source, target, change):
    schemas, channels, ids, held, metadata = {}, {}, {}, [], {}
    with open(source, "rb") as file, open(target, "wb") as out:
        writer = Writer(out)
        writer.start()
        for record in StreamReader(file).records:
            if isinstance(record, Metadata):
                metadata = changed_metadata(record.metadata, change)
                if change != "metadata at the end":
                    writer.add_metadata(record.name, metadata)
            elif isinstance(record, Schema) and record.id not in schemas:
                name = "other.Frame" if change == "other schema" and record.name == NOTE else record.name
                schemas[record.id] = (writer.register_schema(name, record.encoding, record.data), record.name)
            elif isinstance(record, Channel) and record.id not in channels:
                schema, channels[record.id] = schemas[record.schema_id]
                ids[record.id] = writer.register_channel(record.topic, record.message_encoding, schema)
            elif isinstance(record, Message):
                is_note = channels[record.channel_id] == NOTE
                message = (ids[record.channel_id], record.log_time, changed_note(record.data, change) if is_note else record.data)
                if is_note and change == "notes after images":
                    held.append(message)
                    continue
                add(writer, message)
                while held:
                    add(writer, held.pop())
        if change == "metadata at the end":
            writer.add_metadata("plumb.run", metadata)
        writer.finish()


def changed_metadata(metadata, change):
    key, _, value = change.partition("=")
    return {**metadata, key: value} if key in ("rate_hz", "task", "format") else metadata


def changed_note(data, change):
    key, _, value = change.partition("=")
    return json.dumps({**json.loads(data), key: json.loads(value)}).encode() if key in ("source_index", "frame") else data


def add(writer, message):
    channel, time, data = message
    writer.add_message(channel, time, data, time)


main(*sys.argv[1:])
