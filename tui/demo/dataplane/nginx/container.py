"""Starting nginx in a container: read the configuration, resolve its names, or end at once."""

from __future__ import annotations

from tui.demo.dataplane.files import Files
from tui.demo.dataplane.nginx import image
from tui.demo.dataplane.nginx.config import build
from tui.demo.dataplane.nginx.process import Nginx
from tui.demo.dataplane.nginx.syntax import ConfigError, parse
from tui.demo.dataplane.setting import Made, Setting


def start(setting: Setting) -> Made:
    """What ``nginx -g 'daemon off;'`` does in the image."""
    files = Files(image.FILES, setting.container.get("volumeMounts") or (), setting.volumes)
    stamp = setting.clock.wall().strftime("%Y/%m/%d %H:%M:%S")
    namespace = setting.place.namespace
    try:
        config = build(
            parse(files, image.MAIN),
            files,
            lambda host: setting.network.resolve(host, namespace),
        )
    except ConfigError as problem:
        return Made(None, (f"{stamp} [emerg] 1#1: {problem}",), 1)
    notices = [
        'using the "epoll" event method',
        f"nginx/{image.VERSION}",
        "start worker processes",
        *(f"start worker process {29 + n}" for n in range(config.workers or setting.cpus)),
    ]
    output = [f"{stamp} [warn] 1#1: {words}" for words in config.warnings]
    output += [f"{stamp} [notice] 1#1: {words}" for words in notices]
    return Made(Nginx(setting, config, files), tuple(output))
