// libmosquitto, and nothing else. Only `Ingest` and `Simulators` import this module.
#ifndef QUANTRAC_CMOSQUITTO_H
#define QUANTRAC_CMOSQUITTO_H

#include <mosquitto.h>

#if LIBMOSQUITTO_VERSION_NUMBER < 2000011
#error "libmosquitto 2.0.11 or newer is needed: the queued PUBACK of the threaded mode was verified from there on"
#endif

#endif
