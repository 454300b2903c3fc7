# The hub without its servers: docker-compose.yml says how the parts run. docs/operations.md explains.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements/runtime.txt requirements/production.py requirements/
# Everything is pinned with its hash and comes as a wheel: nothing is resolved, nothing is compiled.
RUN python -m venv /opt/venv \
    && python requirements/production.py > production.txt \
    && /opt/venv/bin/pip install --require-hashes --no-deps --only-binary :all: --no-input -r production.txt
WORKDIR /srv/hub
COPY . .
# Settings refuse to load without secrets; these live for this one command and open nothing.
RUN export HUB_ENV=production HUB_PUBLIC_URL=https://build.invalid \
        HUB_SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
        HUB_MASTER_KEYS="build:$(python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())')" \
        HUB_INDEX_KEY="$(python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())')" \
    && /opt/venv/bin/python -m hub.runtime.catalogues \
    && /opt/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /opt/venv/bin/python -m compileall -q /srv/hub

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin hub
COPY --from=build /opt/venv /opt/venv
# Owned by root: the hub cannot change its own code.
COPY --from=build /srv/hub /srv/hub
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HUB_ENV=production
WORKDIR /srv/hub
USER hub
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "hub.probe", "web"]
# --preload: the processes count their requests in memory that they share (core/metrics.py).
CMD ["gunicorn", "hub.wsgi", "--bind", "0.0.0.0:8000", "--preload", "--worker-class", "gthread", "--workers", "2", "--threads", "8", \
     "--timeout", "60", "--graceful-timeout", "30", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
