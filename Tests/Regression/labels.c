// A module that takes any security label, for round trips: PostgreSQL's own dummy_seclabel is not packaged.
#include "postgres.h"

#include "commands/seclabel.h"
#include "fmgr.h"

PG_MODULE_MAGIC;

void _PG_init(void);

static void take(const ObjectAddress *object, const char *label) { (void)object, (void)label; }

void _PG_init(void) { register_label_provider("muster", take); }
