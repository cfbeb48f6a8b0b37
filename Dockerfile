# The gateway as an image: every role, and both stores. It runs as the user 1000 (`node`), writes to /data alone, and to that
# only on the embedded store, to leave the first administrator's password there, or a certificate that it made up.
#
#   docker build -t tandem .
#   docker run -p 8080:8080 -p 5683:5683/udp -v tandem:/data tandem      all in one process, on the embedded store
#
# Many processes on one Redis: docker-compose.yml.

# What npm reads, alone: a change of the code then installs nothing anew.
FROM node:24-bookworm-slim AS manifests
WORKDIR /tandem
COPY . .
RUN mkdir /manifests && cp --parents -t /manifests package.json package-lock.json .npmrc packages/*/package.json bench/package.json

FROM node:24-bookworm-slim AS build
WORKDIR /tandem
COPY --from=manifests /manifests ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY . .
RUN npx tsc -b packages/gateway && mkdir /built && node tools/collect-built.mjs /built

# Of the packages of others goes: what editors, browsers and bundlers read, and what is built for another C library or an older Node.
FROM node:24-bookworm-slim AS production
WORKDIR /tandem
COPY --from=manifests /manifests ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --workspace=packages/gateway \
 && cd node_modules \
 && rm -rf .package-lock.json @types undici-types @opentelemetry/*/build/esm @opentelemetry/*/build/esnext \
           @koromix/*/musl_* bintrees/test protobufjs/dist \
 && find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \
           -o -name '*.musl.node' -o -name 'node.abi*.node' \) -delete

FROM node:24-bookworm-slim
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Tandem" \
      org.opencontainers.image.description="A device gateway with two front doors, HTTP and CoAP with Observe, over one shared state" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
WORKDIR /opt/tandem
COPY --from=production /tandem/node_modules node_modules
COPY --from=build /built ./
RUN ln -s /opt/tandem/packages/gateway/bin/tandem.js /usr/local/bin/tandem \
 && ln -s /opt/tandem/packages/gateway/bin/health.js /usr/local/bin/tandem-health \
 && install -d -o 1000 -g 1000 -m 700 /data
ENV NODE_ENV=production TANDEM_DATA_DIR=/data
# A number, so that Kubernetes can see that it is not root.
USER 1000:1000
# Server API and device API over HTTP, CoAP, CoAP over DTLS; 9090 (metrics and health) is nobody's business outside.
EXPOSE 8080/tcp 5683/udp 5684/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["tandem-health"]
ENTRYPOINT ["tandem"]
CMD ["serve"]
