// A plug-in in JavaScript: the text as it may stand in a URL.

export const transform = {
  apply(text) {
    const slug = text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
    if (slug === "") throw "no letter or digit is left";
    return slug;
  },
};
