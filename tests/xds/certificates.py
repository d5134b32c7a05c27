# SPDX-License-Identifier: Apache-2.0
"""Certificates as tests want them, made on the spot."""

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def pem_of_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Ca:
    def __init__(self, name):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = name_of(name)
        self.pem = self.sign(self.key, self.name, [], True, DAY).public_bytes(serialization.Encoding.PEM)

    def sign(self, key, subject, names, is_ca, until, since=-DAY):
        now = datetime.datetime.utcnow()
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now + since).not_valid_after(now + until)
        builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def identity(self, subject, ip=None, uri=None, until=DAY, since=-DAY):
        """Key and certificate, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ipaddress.ip_address(ip))] if ip else []
        names += [x509.UniformResourceIdentifier(uri)] if uri else []
        certificate = self.sign(key, name_of(subject), names, False, until, since)
        return pem_of_key(key), certificate.public_bytes(serialization.Encoding.PEM)


def put(path, pem):
    """As files are rotated: the new one takes the old one's place at once."""
    with open(f"{path}.new", "wb") as file:
        file.write(pem)
    os.rename(f"{path}.new", path)
    return path
