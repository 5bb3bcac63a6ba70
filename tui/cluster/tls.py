"""TLS contexts. Verification is on unless the kubeconfig says otherwise."""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile

from tui.cluster.access import Certificate, Tls
from tui.cluster.errors import ApiError, Fault, one_line


def context(tls: Tls, certificate: Certificate | None) -> ssl.SSLContext:
    """A client context that trusts the given CA alone, or the system's if none is given.

    Raises:
        ApiError: the CA or the client certificate cannot be loaded.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    else:
        _trust(made, tls)
    if certificate is not None:
        _present(made, certificate)
    return made


def _trust(made: ssl.SSLContext, tls: Tls) -> None:
    try:
        if tls.ca_data is not None:
            made.load_verify_locations(cadata=tls.ca_data.decode("ascii"))
        elif tls.ca_file is not None:
            made.load_verify_locations(cafile=tls.ca_file)
        else:
            made.load_default_certs()
    except (OSError, UnicodeDecodeError) as error:
        where = f"in {tls.ca_file}" if tls.ca_file else "in the kubeconfig"
        raise ApiError(
            Fault.TLS, f"The certificate authority {where} cannot be loaded: {_why(error)}."
        ) from None


def _present(made: ssl.SSLContext, certificate: Certificate) -> None:
    """Load the client certificate. OpenSSL wants files: what is inline lives in a private
    directory for the time of this call.
    """
    directory = ""
    try:
        cert, key = certificate.cert_file, certificate.key_file
        if certificate.cert_data is not None or certificate.key_data is not None:
            directory = tempfile.mkdtemp(prefix="kscale-")
            if certificate.cert_data is not None:
                cert = _write(directory, "cert", certificate.cert_data)
            if certificate.key_data is not None:
                key = _write(directory, "key", certificate.key_data)
        if cert is None or key is None:
            raise ApiError(Fault.TLS, "The client certificate lacks its key, or the key its cert.")
        # An encrypted key must fail, not ask on the terminal.
        made.load_cert_chain(cert, key, password=lambda: b"")
    except OSError as error:
        raise ApiError(
            Fault.TLS, f"The client certificate cannot be loaded: {_why(error)}."
        ) from None
    finally:
        if directory:
            shutil.rmtree(directory, ignore_errors=True)


def _write(directory: str, name: str, data: bytes) -> str:
    path = os.path.join(directory, name)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    return path


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"no valid PEM ({one_line(error.reason or 'unknown')})"
    return one_line(getattr(error, "strerror", None) or str(error))
