/* /_sandbox: how a test or a person steers the imitated vendors and asks what they saw. Admin requests are
 * not journaled and meet no faults. */
#pragma once
#include "engine.h"

void admin_answer (Engine *engine, const Request *request, Reply *reply);
