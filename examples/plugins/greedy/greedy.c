// A plug-in in C that takes all memory it can get.

#include "plugin.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 1 << 20 };

bool exports_docs_plugins_transform_apply(plugin_string_t *text, plugin_string_t *answer, plugin_string_t *why_not) {
  (void)text, (void)answer, (void)why_not;
  // Each block has the one before it, so that no compiler finds that nobody would miss them.
  static void **volatile all;
  for (;;) {
    void **more = malloc(BLOCK_BYTES);
    if (more == NULL) {
      abort();
    }
    memset(more, 1, BLOCK_BYTES);
    *more = all;
    all = more;
  }
}
