"""Sets a control of a video device by its name: `control.py DEVICE NAME VALUE`"""
import errno
import fcntl
import struct
import sys

VIDIOC_S_CTRL, VIDIOC_QUERYCTRL = 0xC008561C, 0xC0445624
NEXT = 0x80000000
device, wanted, value = sys.argv[1:]
with open(device, "r+b", buffering=0) as camera:
    asked = bytearray(struct.pack("=I", NEXT).ljust(68, b"\0"))
    while True:
        try:
            fcntl.ioctl(camera, VIDIOC_QUERYCTRL, asked)
        except OSError as error:
            sys.exit(f"{device} has no control {wanted}" if error.errno == errno.EINVAL else str(error))
        control, name = struct.unpack_from("=I4x32s", asked)
        if name.rstrip(b"\0").decode() == wanted:
            break
        asked = bytearray(struct.pack("=I", control | NEXT).ljust(68, b"\0"))
    fcntl.ioctl(camera, VIDIOC_S_CTRL, struct.pack("=Ii", control, int(value)))
