/* Plugins for tests of the configuration: tests/unit/config/plugins/NAME.json is what the worker would have
 * said. */
#pragma once
#include "config/plugins.h"

Plugins *described_plugins (void);
