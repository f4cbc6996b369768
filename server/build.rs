//! Generates the messages of a recording from `proto/foxglove.proto`, without a protoc. Also keeps their description,
//! because an MCAP file describes its own messages.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/foxglove.proto");
    #[cfg(feature = "mcap")]
    {
        let described = protox::compile(["proto/foxglove.proto"], ["proto"])?;
        let place = std::path::PathBuf::from(std::env::var("OUT_DIR")?).join("foxglove.bin");
        std::fs::write(place, prost::Message::encode_to_vec(&described))?;
        prost_build::Config::new()
            .bytes([".foxglove.RawImage.data", ".foxglove.CompressedImage.data"])
            .compile_fds(described)?;
    }
    Ok(())
}
