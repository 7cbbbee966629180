/* What libFuzzer, or replay.c in its place, calls with one input. A finding is an abort. */
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
