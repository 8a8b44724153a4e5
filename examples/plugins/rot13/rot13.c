// A plug-in in C: every letter becomes the one 13 places on. The caller's text is ours, so it is changed in place and given back.

#include "plugin.h"

static uint8_t turned(uint8_t letter, uint8_t first) { return (uint8_t)(first + (letter - first + 13) % 26); }

bool exports_docs_plugins_transform_apply(plugin_string_t *text, plugin_string_t *answer, plugin_string_t *why_not) {
  (void)why_not;
  for (size_t place = 0; place < text->len; place++) {
    uint8_t letter = text->ptr[place];
    if (letter >= 'a' && letter <= 'z') {
      text->ptr[place] = turned(letter, 'a');
    } else if (letter >= 'A' && letter <= 'Z') {
      text->ptr[place] = turned(letter, 'A');
    }
  }
  *answer = *text;
  return true;
}
