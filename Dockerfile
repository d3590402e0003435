# The application alone; PostgreSQL with PostGIS and Redis run beside it (compose.yaml).
FROM debian:bookworm-slim AS build
SHELL ["/bin/sh", "-eu", "-c"]
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.lock requirements-uv.lock ./
RUN python3 -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-uv.lock \
    && VIRTUAL_ENV=/app/.venv .venv/bin/uv pip sync --no-cache --require-hashes --compile-bytecode requirements.lock

FROM debian:bookworm-slim
SHELL ["/bin/sh", "-eu", "-c"]
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /data wangge
COPY --from=build /app/.venv /app/.venv
COPY . /app
WORKDIR /app
ENV WANGGE_DATA=/data WANGGE_HOST=0.0.0.0 WANGGE_LOG_FORMAT=json PYTHONDONTWRITEBYTECODE=1
USER 10001
VOLUME /data
EXPOSE 8050
HEALTHCHECK --interval=10s --timeout=5s --start-period=40s \
    CMD ["/app/.venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8050/api/health', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/.venv/bin/python", "/app/cli.py"]
CMD ["run"]
