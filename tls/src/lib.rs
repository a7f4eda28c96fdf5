//! Certificates, fingerprints and TLS configurations of IoT Home.
