# A static binary in an empty image, as a user without rights. Takes the place of a Collector image:
# the arguments of the Deployment stay as they are (`--config=/etc/otel/config/otel-config.yaml`).

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# glibc, linked statically: names resolve by /etc/hosts and DNS without a library on disk.
RUN RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --profile dist --locked --target "$(rustc -vV | sed -n 's/^host: //p')" \
 && cp target/*/dist/spanmill /spanmill

FROM scratch
COPY --from=build /spanmill /spanmill
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 65532:65532
# OTLP over gRPC and HTTP, the scrape endpoint, zpages.
EXPOSE 4317 4318 1234 55679
ENTRYPOINT ["/spanmill"]
CMD ["--config=/etc/otel/config/otel-config.yaml"]
