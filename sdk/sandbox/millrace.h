/* Millrace: the point of sale that does not exist, of the SDK's documentation. The smallest vendor of the
 * sandbox. */
#pragma once
#include "engine.h"

extern const Vendor millrace_vendor;
