package words

// peoplePhrases are said by the server alone.
var peoplePhrases map[string]phrase
