# The image of thalas: the program, the certificates and the licences, without a shell and
# without a distribution. docs/containers.md tells how to run it.
#
#   docker build -t thalas .                                         compiles it in a container; needs BuildKit
#   make image-files && docker build --target prebuilt -t thalas .   compiles it here, and fetches nothing
#
# Docker's older builder makes all stages before the target. Since prebuilt stands before the
# stage that fetches the compiler's image, it can make prebuilt, and nothing after it.

FROM scratch AS base
LABEL org.opencontainers.image.title="thalas" \
      org.opencontainers.image.description="Asks several language models one trading question and makes one decision of their answers" \
      org.opencontainers.image.documentation="docs/containers.md"
# The user of the data folder. Numbers work without /etc/passwd, and Kubernetes wants them for runAsNonRoot.
USER 65532:65532
# Others reach the server only at an address beyond loopback, so it asks for API_KEYS.
ENV DATA_FILE=/data/thalas.db LISTEN_ADDR=:8787
EXPOSE 8787
# It asks the server, and not the file. Another LISTEN_ADDR needs another health check.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/usr/local/bin/thalas", "health", "--url", "http://127.0.0.1:8787"]
ENTRYPOINT ["/usr/local/bin/thalas"]
CMD ["serve"]

FROM base AS prebuilt
ARG VERSION=dev
LABEL org.opencontainers.image.version="$VERSION"
COPY dist/image/root/ /
COPY --chown=65532:65532 dist/image/data/ /data/

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN make image-files VERSION="$VERSION"

FROM base
ARG VERSION=dev
LABEL org.opencontainers.image.version="$VERSION"
COPY --from=build /src/dist/image/root/ /
COPY --from=build --chown=65532:65532 /src/dist/image/data/ /data/
