# The gateway as an image: every role, and both stores. It runs as the user `node`, writes to /data alone, and to that
# only on the embedded store or to leave the first administrator's password there.
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
RUN npx tsc -b packages/gateway \
 && find packages -path '*/dist/*' \( -name '*.d.ts' -o -name '*.map' \) -delete \
 && mkdir /built && cp --parents -t /built -r LICENSE packages/*/package.json packages/*/dist packages/*/bin packages/*/src/lua packages/*/src/*/assets

FROM node:24-bookworm-slim AS production
WORKDIR /tandem
COPY --from=manifests /manifests ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --workspace=packages/gateway

FROM node:24-bookworm-slim
WORKDIR /opt/tandem
COPY --from=production /tandem/node_modules node_modules
COPY --from=build /built ./
RUN ln -s /opt/tandem/packages/gateway/bin/tandem.js /usr/local/bin/tandem \
 && ln -s /opt/tandem/packages/gateway/bin/health.js /usr/local/bin/tandem-health \
 && install -d -o node -g node -m 700 /data
ENV NODE_ENV=production TANDEM_DATA_DIR=/data
USER node
# Server API and device API over HTTP, CoAP; 9090 (metrics and health) is nobody's business outside.
EXPOSE 8080/tcp 5683/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["tandem-health"]
ENTRYPOINT ["tandem"]
CMD ["serve"]
