//! ROS's image messages, as ROS 1 and ROS 2 (CDR) write them.
//!
//! Both write the fields one after another. CDR begins with four bytes that give the byte order, aligns each number to
//! its size, and ends a text with a zero byte. ROS 1 has a sequence number in the header, no alignment and no zero
//! byte.

use bytes::Bytes;

use super::message::RawPixels;

/// The encoding of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// ROS 1.
    Ros1,
    /// ROS 2.
    Cdr,
}

/// Reads a `sensor_msgs` Image.
pub(super) fn image(layout: Layout, bytes: Bytes) -> Result<RawPixels, String> {
    let mut fields = Fields::begin(layout, bytes)?;
    fields.header()?;
    let (height, width) = (fields.number()?, fields.number()?);
    let encoding = fields.text()?;
    let is_big_endian = fields.byte()? != 0;
    let step = fields.number()?;
    Ok(RawPixels { width, height, encoding, step, is_big_endian, data: fields.data()? })
}

/// Reads the picture of a `sensor_msgs` CompressedImage.
pub(super) fn picture(layout: Layout, bytes: Bytes) -> Result<Bytes, String> {
    let mut fields = Fields::begin(layout, bytes)?;
    fields.header()?;
    fields.text()?;
    fields.data()
}

/// The fields of a message.
struct Fields {
    layout: Layout,
    /// The message without the bytes that give its byte order. Alignment counts from here.
    bytes: Bytes,
    at: usize,
    is_big_endian: bool,
}

impl Fields {
    fn begin(layout: Layout, bytes: Bytes) -> Result<Self, String> {
        if layout == Layout::Ros1 {
            return Ok(Self { layout, bytes, at: 0, is_big_endian: false });
        }
        match bytes.get(..4) {
            Some([0, order @ (0 | 1), _, _]) => {
                let is_big_endian = *order == 0;
                Ok(Self { layout, bytes: bytes.slice(4..), at: 0, is_big_endian })
            }
            _ => Err("it does not begin as CDR does".into()),
        }
    }

    fn header(&mut self) -> Result<(), String> {
        if self.layout == Layout::Ros1 {
            self.number()?;
        }
        // The time, in two numbers.
        self.number()?;
        self.number()?;
        self.text().map(drop)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u32, String> {
        if self.layout == Layout::Cdr {
            self.at = self.at.next_multiple_of(4);
        }
        let bytes: [u8; 4] = self.take(4)?.as_ref().try_into().unwrap_or_default();
        Ok(if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn text(&mut self) -> Result<String, String> {
        let bytes = self.data()?;
        let text = match self.layout {
            Layout::Cdr => bytes.strip_suffix(&[0]).unwrap_or(&bytes),
            Layout::Ros1 => &bytes,
        };
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn data(&mut self) -> Result<Bytes, String> {
        let length = self.number()?;
        self.take(length as usize)
    }

    fn take(&mut self, length: usize) -> Result<Bytes, String> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or("it ends within a field")?;
        let taken = self.bytes.slice(self.at..end);
        self.at = end;
        Ok(taken)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A ROS 2 message of an image, in either byte order.
    pub(crate) fn cdr_image(width: u32, height: u32, encoding: &str, step: u32, data: &[u8], big: bool) -> Vec<u8> {
        let mut bytes = vec![0, u8::from(!big), 0, 0];
        let number = |bytes: &mut Vec<u8>, number: u32| {
            while !bytes.len().is_multiple_of(4) {
                bytes.push(0);
            }
            bytes.extend(if big { number.to_be_bytes() } else { number.to_le_bytes() });
        };
        let text = |bytes: &mut Vec<u8>, text: &str| {
            number(bytes, text.len() as u32 + 1);
            bytes.extend(text.as_bytes());
            bytes.push(0);
        };
        number(&mut bytes, 17);
        number(&mut bytes, 4);
        text(&mut bytes, "cam");
        number(&mut bytes, height);
        number(&mut bytes, width);
        text(&mut bytes, encoding);
        bytes.push(u8::from(big));
        number(&mut bytes, step);
        number(&mut bytes, data.len() as u32);
        bytes.extend(data);
        bytes
    }

    #[test]
    fn an_image_of_ros_2_is_read_in_either_byte_order() {
        for big in [false, true] {
            let read = image(Layout::Cdr, cdr_image(3, 2, "mono8", 4, &[7; 8], big).into()).unwrap();
            assert_eq!((read.width, read.height, read.step, read.is_big_endian), (3, 2, 4, big));
            assert_eq!((read.encoding.as_str(), &read.data[..]), ("mono8", &[7; 8][..]));
        }
    }

    #[test]
    fn an_image_of_ros_1_is_read() {
        let mut bytes = Vec::new();
        for number in [5u32, 17, 4, 3] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(b"cam");
        for number in [2u32, 3, 4] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(b"rgb8\0");
        for number in [9u32, 18] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([9; 18]);
        let read = image(Layout::Ros1, bytes.clone().into()).unwrap();
        assert_eq!((read.width, read.height, read.encoding.as_str(), read.data.len()), (3, 2, "rgb8", 18));
        for end in 0..bytes.len() {
            assert!(image(Layout::Ros1, bytes[..end].to_vec().into()).is_err(), "{end}");
        }
    }

    #[test]
    fn malformed_cdr_and_excessive_claims_are_refused() {
        assert!(image(Layout::Cdr, vec![9, 9, 9, 9].into()).is_err());
        let mut bytes = cdr_image(3, 2, "mono8", 3, &[7; 6], false);
        let length = bytes.len();
        bytes[length - 10..length - 6].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(image(Layout::Cdr, bytes.into()), Err("it ends within a field".into()));
    }
}
