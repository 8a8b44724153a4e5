"""The price list: exact decimals, and a discount for who takes ten or more."""

from decimal import ROUND_HALF_UP, Decimal

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.prices import (
    Error_OutOfStock,
    Error_Unknown,
    Error_Untaxable,
    Priced,
    Wanted,
)
from wit_world.imports import tax
from wit_world.imports.tax import Group, Sale

# Article: price of one, how many there are, group.
ARTICLES = {
    "apple": (Decimal("0.35"), 500, Group.FOOD),
    "bread": (Decimal("2.80"), 40, Group.FOOD),
    "novel": (Decimal("12.99"), 25, Group.PRINT),
    "lamp": (Decimal("39.95"), 3, Group.OTHER),
    "palace": (Decimal("1.5e17"), 1, Group.OTHER),
}

MANY = 10
DISCOUNT = Decimal("0.95")


def net(wanted: Wanted) -> Sale:
    article = ARTICLES.get(wanted.article)
    if article is None:
        raise Err(Error_Unknown(wanted.article))
    price, stock, group = article
    if wanted.count > stock:
        raise Err(Error_OutOfStock((wanted, stock)))
    total = price * wanted.count
    if wanted.count >= MANY:
        total *= DISCOUNT
    return Sale(group, int((total * 100).to_integral_value(ROUND_HALF_UP)))


class Prices(exports.Prices):
    def price(self, articles: list[Wanted]) -> list[Priced]:
        sales = [net(wanted) for wanted in articles]
        try:
            taxes = tax.taxes(sales)
        except Err as error:
            raise Err(Error_Untaxable(articles[error.value.place])) from None
        return [Priced(*row) for row in zip(articles, (sale.net for sale in sales), taxes)]
