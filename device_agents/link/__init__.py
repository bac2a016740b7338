"""The room's connection to the hub: coming about, what is said when it has, and the certificate that it takes."""
