# The client in a container: the program alone, without graphics.
#
#   docker build -f docker/client.Dockerfile -t rust-client .
#   docker build -f docker/client.Dockerfile -t rust-client-window --target window .    # with a window
#
# Both Dockerfiles have the same builder stage, word for word, so the second image finds most of itself in the cache.
ARG BUILDER=rust:1.95-slim-bookworm
ARG WINDOW_BASE=debian:bookworm-slim

FROM ${BUILDER} AS builder
WORKDIR /plumb
# One codegen unit makes the server 1.6 MB smaller than four do.
ENV CARGO_PROFILE_RELEASE_STRIP=symbols CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
# For the page's detector. A base without rustup has this target, or the page does without the detector.
RUN ! command -v rustup >/dev/null || rustup target add wasm32-unknown-unknown
# The dependencies, which change seldom, are a layer of their own: built with empty crates in place of ours.
COPY Cargo.toml Cargo.lock ./
COPY shared/Cargo.toml shared/build.rs shared/
COPY shared/proto shared/proto
COPY client/Cargo.toml client/
COPY server/Cargo.toml server/build.rs server/
COPY server/proto server/proto
# Cargo needs these members of the workspace, although no program is built from them.
COPY testkit/Cargo.toml testkit/
COPY python/Cargo.toml python/
RUN for crate in shared client server testkit python; do mkdir $crate/src && : >$crate/src/lib.rs; done \
 && mkdir -p client/benches server/benches/detector server/benches/link server/benches/growth \
 && echo 'fn main() {}' \
  | tee client/src/main.rs server/src/main.rs client/benches/stages.rs server/benches/stages.rs server/benches/outputs.rs \
   server/benches/link/main.rs server/benches/growth/main.rs >server/benches/detector/main.rs \
 && cargo build --release --locked -p client -p server \
 && rm -r shared/src client/src server/src
COPY shared shared
COPY client client
COPY server server
COPY wasm wasm
# Linked statically, to run in an empty image. Only the link differs, so the dependencies serve both kinds of program.
RUN find shared client server -name '*.rs' -exec touch {} + \
 && for program in client server; do \
      cargo rustc --release --locked -p $program --bin $program -- -C target-feature=+crt-static || exit 1; \
    done \
 && mkdir static && mv target/release/client target/release/server static/
# What each program is made of, for whoever checks it: CycloneDX, beside the program.
COPY docker/sbom.sh docker/
RUN for program in client server; do sh docker/sbom.sh $program >static/$program.cdx.json || exit 1; done

# Linked dynamically: libX11 is opened when a window is.
FROM builder AS dynamic
RUN cargo build --release --locked -p client

# With a window: run it with  -e DISPLAY -v /tmp/.X11-unix:/tmp/.X11-unix
FROM ${WINDOW_BASE} AS window
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libx11-6 libxcursor1 >/dev/null \
 && rm -rf /var/lib/apt/lists/*
COPY --from=dynamic /plumb/target/release/client /client
COPY --from=builder /plumb/static/client.cdx.json /
LABEL org.opencontainers.image.title="Plumb client" \
      org.opencontainers.image.description="Receives frames from a Plumb server over WebRTC, finds the circle in each, answers." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
USER 65532:65532
ENTRYPOINT ["/client"]

FROM scratch AS headless
COPY --from=builder /plumb/static/client /client
COPY --from=builder /plumb/static/client.cdx.json /
LABEL org.opencontainers.image.title="Plumb client" \
      org.opencontainers.image.description="Receives frames from a Plumb server over WebRTC, finds the circle in each, answers." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
USER 65532:65532
ENV PLUMB_NO_GRAPHICS=true
ENTRYPOINT ["/client"]
