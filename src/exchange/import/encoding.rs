//! Decodes a file piece by piece.

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16LE, WINDOWS_1252};
use entity::import::ImportEncoding;

/// Decodes the bytes of a file, in pieces of any size.
pub(super) struct TextDecoder(Decoder);

/// The bytes are not of the encoding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl TextDecoder {
    pub(super) fn new(encoding: ImportEncoding) -> Self {
        Self(match encoding {
            ImportEncoding::Auto => UTF_8.new_decoder(),
            ImportEncoding::Utf8 => UTF_8.new_decoder_with_bom_removal(),
            ImportEncoding::Utf16 => UTF_16LE.new_decoder(),
            ImportEncoding::Windows1252 => WINDOWS_1252.new_decoder_without_bom_handling(),
        })
    }

    /// Appends the text of a piece to `text`; of the last one, if `is_last`.
    pub(super) fn decode(&mut self, mut piece: &[u8], text: &mut String, is_last: bool) -> Result<(), Malformed> {
        loop {
            let needed = self.0.max_utf8_buffer_length_without_replacement(piece.len()).ok_or(Malformed)?;
            text.reserve(needed);
            let (result, read) = self.0.decode_to_string_without_replacement(piece, text, is_last);
            piece = &piece[read..];
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => return Err(Malformed),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes byte by byte.
    fn decoded(encoding: ImportEncoding, bytes: &[u8]) -> Result<String, Malformed> {
        let (mut decoder, mut text) = (TextDecoder::new(encoding), String::new());
        for byte in bytes {
            decoder.decode(&[*byte], &mut text, false)?;
        }
        decoder.decode(&[], &mut text, true).map(|()| text)
    }

    #[test]
    fn texts_are_decoded_with_and_without_a_byte_order_mark() {
        let little =
            |mark: &[u8]| [mark, &"a€\u{1F600}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat();
        let big =
            |mark: &[u8]| [mark, &"a€\u{1F600}".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()].concat();
        for (encoding, bytes) in [
            (ImportEncoding::Auto, "a€\u{1F600}".into()),
            (ImportEncoding::Auto, "\u{FEFF}a€\u{1F600}".into()),
            (ImportEncoding::Auto, little(&[0xFF, 0xFE])),
            (ImportEncoding::Auto, big(&[0xFE, 0xFF])),
            (ImportEncoding::Utf8, "\u{FEFF}a€\u{1F600}".into()),
            (ImportEncoding::Utf16, little(&[])),
            (ImportEncoding::Utf16, little(&[0xFF, 0xFE])),
            (ImportEncoding::Utf16, big(&[0xFE, 0xFF])),
        ] {
            assert_eq!(decoded(encoding, &bytes).as_deref(), Ok("a€\u{1F600}"), "{encoding:?} {bytes:?}");
        }
        assert_eq!(decoded(ImportEncoding::Windows1252, b"M\xFCnchen \x80").as_deref(), Ok("München €"));
    }

    #[test]
    fn bytes_of_another_encoding_are_told() {
        assert_eq!(decoded(ImportEncoding::Auto, b"M\xFCnchen"), Err(Malformed));
        assert_eq!(decoded(ImportEncoding::Utf8, b"cut \xE2\x82"), Err(Malformed));
        assert_eq!(decoded(ImportEncoding::Utf16, &[0x00, 0xD8, 0x41, 0x00]), Err(Malformed));
    }
}
