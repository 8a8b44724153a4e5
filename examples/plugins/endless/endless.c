// A plug-in in C that never comes back.

#include "plugin.h"

bool exports_docs_plugins_transform_apply(plugin_string_t *text, plugin_string_t *answer, plugin_string_t *why_not) {
  (void)answer, (void)why_not;
  volatile size_t turns = 0;
  while (text != NULL) {
    turns++;
  }
  return false;
}
