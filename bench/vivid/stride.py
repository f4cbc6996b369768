"""Sets a format whose rows are longer than their pixels, and says what the driver made of it:
`stride.py DEVICE WIDTH HEIGHT FOURCC BYTES-PER-LINE`"""
import fcntl
import struct
import sys

VIDIOC_S_FMT = 0xC0D05605
VIDEO_CAPTURE, FIELD_NONE = 1, 1
device, width, height, code, stride = sys.argv[1:]
pixels = struct.pack("=IIIIII", int(width), int(height), int.from_bytes(code.encode(), "little"), FIELD_NONE, int(stride), 0)
asked = bytearray(struct.pack("=II", VIDEO_CAPTURE, 0) + pixels.ljust(200, b"\0"))
with open(device, "r+b", buffering=0) as camera:
    fcntl.ioctl(camera, VIDIOC_S_FMT, asked)
print(struct.unpack_from("=I", asked, 24)[0])
