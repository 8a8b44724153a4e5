// The tax library: integers only, so that every cent is where it belongs.

#include "tax_library.h"

#include <stdlib.h>

static uint64_t percent_of(exports_docs_polyglot_tax_group_t group) {
  switch (group) {
    case EXPORTS_DOCS_POLYGLOT_TAX_GROUP_FOOD:
      return 7;
    case EXPORTS_DOCS_POLYGLOT_TAX_GROUP_PRINT:
      return 5;
    default:
      return 19;
  }
}

bool exports_docs_polyglot_tax_taxes(exports_docs_polyglot_tax_list_sale_t *sales, tax_library_list_u64_t *taxes,
                                     exports_docs_polyglot_tax_overflow_t *overflow) {
  // The caller's list is ours to free, and the one that is returned is freed when it was copied.
  uint64_t *computed = sales->len > 0 ? calloc(sales->len, sizeof *computed) : NULL;
  if (sales->len > 0 && computed == NULL) {
    abort();
  }
  for (size_t place = 0; place < sales->len; place++) {
    exports_docs_polyglot_tax_sale_t sale = sales->ptr[place];
    uint64_t percent = percent_of(sale.group);
    if (sale.net > (UINT64_MAX - 50) / percent) {
      overflow->place = (uint32_t)place;
      free(computed);
      exports_docs_polyglot_tax_list_sale_free(sales);
      return false;
    }
    computed[place] = (sale.net * percent + 50) / 100;
  }
  taxes->ptr = computed;
  taxes->len = sales->len;
  exports_docs_polyglot_tax_list_sale_free(sales);
  return true;
}
