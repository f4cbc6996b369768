//! Makes the messages of the link grpc from `proto/plumb.proto`, without a protoc.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/plumb.proto");
    #[cfg(feature = "grpc")]
    prost_build::Config::new()
        // Pixels stay in the buffer that they arrived in.
        .bytes([".plumb.v1.Frame.data", ".plumb.v1.Image.data"])
        .btree_map(["."])
        .compile_fds(protox::compile(["proto/plumb.proto"], ["proto"])?)?;
    Ok(())
}
