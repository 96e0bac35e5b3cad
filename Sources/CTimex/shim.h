// The kernel's clock discipline (Linux), which Swift's Glibc module leaves out. Only `WebServer` imports this module.
#ifndef QUANTRAC_CTIMEX_H
#define QUANTRAC_CTIMEX_H

#include <sys/timex.h>

#endif
