# The agent in a container: Node, the sources (Node runs them as they are) and five small packages.
#   docker build -t edgeway .
FROM node:24-alpine AS dependencies
WORKDIR /edgeway
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24-alpine
WORKDIR /edgeway
COPY --from=dependencies /edgeway/node_modules node_modules
COPY package.json ./
COPY bin bin
COPY src src
# Docker lets an unprivileged user listen on ports below 1024. For the socket of the engine, give the user its group: docs/docker.md.
USER 1000:1000
ENTRYPOINT ["/edgeway/bin/edgeway"]
CMD ["agent"]
