"""Why licensing refuses to set a product, to deploy a policy or to have firmware updated."""

from chassis.errors import Kind, Refusal


class ProductUnknown(Refusal):
    """There is no such product."""

    kind = Kind.INVALID
    code = "unknown_product"
    remedy = "Choose a product from GET /v1/products."
    rule = "CUS-65"


class NotSupported(Refusal):
    """The product does not support this."""

    kind = Kind.CONFLICT
    code = "settings_not_supported"
    remedy = "Look at what products support with GET /v1/products, and choose one that supports it."
    rule = "CUS-65"


class ProductNotHeld(Refusal):
    """The customer does not have this product."""

    kind = Kind.CONFLICT
    code = "product_not_held"
    remedy = "Give the customer the product first; GET /v1/subscriptions?customer_id={id} lists what it has."
    rule = "CUS-65"


class SettingsNotFound(Refusal):
    """The customer has no such product that can be set."""

    kind = Kind.NOT_FOUND
    code = "settings_not_found"
    remedy = "List its products with GET /v1/customers/{customer_id}/product-settings."
    rule = "CUS-65"


class NotOffered(Refusal):
    """Not offered for such a customer."""

    kind = Kind.CONFLICT
    code = "not_offered"
    remedy = "Look at what is offered for it with GET /v1/customers/{customer_id}/actions."
    rule = "CUS-64"


class TemplateNotFound(Refusal):
    """There is no such template."""

    kind = Kind.NOT_FOUND
    code = "template_not_found"
    remedy = "Check the id; list your templates with GET /v1/product-templates."
    rule = "CUS-65"


class TemplateUnknown(TemplateNotFound):
    """The template is none of yours."""

    kind = Kind.INVALID
    code = "unknown_template"


class TemplateOfOtherProduct(Refusal):
    """The template is for another product."""

    kind = Kind.CONFLICT
    code = "template_of_other_product"
    remedy = "Choose a template of this product: GET /v1/product-templates?product={product}."
    rule = "CUS-65"


class TemplateNameTaken(Refusal):
    """A template of this name is there already."""

    kind = Kind.CONFLICT
    code = "template_name_taken"
    remedy = "Choose another name, or change the template that has it."
    rule = "CUS-65"


class UpdateNotRequired(Refusal):
    """No appliance of the customer requires a firmware update."""

    kind = Kind.CONFLICT
    code = "update_not_required"
    remedy = "Nothing is to be done: only customers that require an update are notified."
    rule = "CUS-67"


class UpdateUnderWay(Refusal):
    """The customer was notified already."""

    kind = Kind.CONFLICT
    code = "update_under_way"
    remedy = "Wait until its appliances report the new firmware; GET /v1/firmware-updates lists what is under way."
    rule = "CUS-67"
